/** Lets the user choose files, or one, or a folder with all that is in it, or take pictures; none if they think better of it. */
export function pick(folder: boolean, camera = false, single = false): Promise<File[]> {
  return new Promise((done) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = !single;
    input.webkitdirectory = folder;
    if (camera) {
      input.accept = 'image/*,video/*';
      input.capture = 'environment';
    }
    input.addEventListener('change', () => done([...(input.files ?? [])]));
    input.addEventListener('cancel', () => done([]));
    input.click();
  });
}
