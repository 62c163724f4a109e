/** Makes a picture fit to be a logo. Loaded with the operator's view. */

/** The most bytes that the service takes, and what it takes. */
const BYTES_MAX = 64 * 1024;
const TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp']);
/** Longer sides to try, from what is sharp on every screen to what always fits. */
const SIDES = [512, 256, 128];

export type Unfit = 'noPicture' | 'tooLarge';

/** The picture as it is if the service takes it so, else a smaller one; or why there is none. */
export async function fitLogo(file: Blob): Promise<Blob | Unfit> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return 'noPicture';
  }
  if (TYPES.has(file.type) && file.size <= BYTES_MAX) return file;
  for (const side of SIDES) {
    for (const type of ['image/png', 'image/webp']) {
      const small = await shrink(picture, side, type);
      if (small !== null && TYPES.has(small.type) && small.size <= BYTES_MAX) return small;
    }
  }
  return 'tooLarge';
}

function shrink(picture: ImageBitmap, side: number, type: string): Promise<Blob | null> {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, type, 0.9));
}
