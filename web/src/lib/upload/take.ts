/** What is dropped, pasted or chosen, taken at once: all that is done with it comes on demand. */

import type { Root } from '../api/files';
import { toasts } from '../state/toasts.svelte';
import { texts } from '../text/language.svelte';
import { sentence } from '../text/problem';

/** What lies in a transfer. */
export interface Taken {
  entries: FileSystemEntry[];
  files: File[];
}

/** A transfer is emptied as soon as its event is over, so this is done before the first wait. */
export function taken(transfer: DataTransfer): Taken {
  const items = Array.from(transfer.items).filter((item) => item.kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return { entries, files: Array.from(transfer.files) };
}

export async function takeTransfer(transfer: DataTransfer, root: Root, folder: readonly string[]): Promise<void> {
  const all = taken(transfer);
  await received(({ receiveTaken }) => receiveTaken(all, root, folder));
}

export async function takeFiles(files: Iterable<File>, root: Root, folder: readonly string[]): Promise<void> {
  await received(({ receiveFiles }) => receiveFiles(files, root, folder));
}

async function received(work: (receive: typeof import('./receive')) => Promise<void>): Promise<void> {
  try {
    await work(await import('./receive'));
  } catch (error) {
    toasts.say(sentence(error, texts.text), { bad: true });
  }
}
