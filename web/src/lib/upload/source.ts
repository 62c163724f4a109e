/** A file of at least so many bytes goes in two requests: what is smaller is read before anybody can change it. */
const HELD_FROM = 8 << 20;
/** Its last bytes, without which the service has no file. */
const HELD = 64 << 10;

/** Whether a file is still the one that was chosen: browsers refuse to read one that was changed or moved since. */
export async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/**
 * A file as it is sent. A browser looks whether a file was changed when it begins to read it, and not again: one that is written
 * while it is sent would arrive half old and half new, and look whole. So the last bytes are held back until all others have
 * arrived, and go only if the file is still the one that was chosen.
 */
class HeldSource {
  readonly size: number;
  readonly #file: File;
  readonly #held: number;

  constructor(file: File) {
    this.#file = file;
    this.size = file.size;
    this.#held = file.size < HELD_FROM ? file.size : file.size - HELD;
  }

  async slice(start: number, end: number): Promise<{ value: Blob; done: boolean }> {
    const upto = start < this.#held ? Math.min(end, this.#held) : Math.min(end, this.size);
    if (upto === this.size && start > 0 && !(await isReadable(this.#file))) throw new Error('the file was changed while it was sent');
    return { value: this.#file.slice(start, upto), done: upto === this.size };
  }

  close(): void {}
}

/** Reads files for the uploader. */
export const held = { openFile: (file: File): Promise<HeldSource> => Promise.resolve(new HeldSource(file)) };
