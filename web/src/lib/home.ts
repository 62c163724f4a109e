/** The zips that together hold everything of a tree. */

import type { Root } from './api/files';
import type { Entry } from './api/types';

/** One folder at the top, or some of the files beside it. */
export interface Part {
  kind: Entry['kind'];
  names: readonly string[];
  /** Bytes of the files; of a folder the listing does not know. */
  size: number | null;
  address: string;
}

/** Some proxies refuse an address of 8,192 characters, and cookies count as well. */
const LONGEST = 6000;

/** Everything at the top of a tree. */
export async function atTop(root: Root): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  let next: string | null = null;
  do {
    const page = await root.list([], next);
    all.push(...page.entries);
    next = page.next;
  } while (next !== null);
  return all;
}

export function parts(root: Root, entries: readonly Entry[], longest = LONGEST): Part[] {
  const folders = entries.filter((entry) => entry.kind === 'folder');
  const files = entries.filter((entry) => entry.kind === 'file');
  return [
    ...folders.map(
      ({ name }): Part => ({ kind: 'folder', names: [name], size: null, address: root.zip([name]) }),
    ),
    ...groups(files, longest - root.zip([], ['']).length).map(
      (some): Part => ({
        kind: 'file',
        names: some.map(({ name }) => name),
        size: some.reduce((sum, { size }) => sum + size, 0),
        address: root.zip(
          [],
          some.map(({ name }) => name),
        ),
      }),
    ),
  ];
}

/** Files in groups whose names, as an address has them, take `room` characters at most. */
function groups(files: readonly Entry[], room: number): Entry[][] {
  const all: Entry[][] = [];
  let left = 0;
  for (const file of files) {
    const needed = encodeURIComponent(`/${file.name}`).length;
    const last = all.at(-1);
    if (last === undefined || needed > left) {
      all.push([file]);
      left = room - needed;
    } else {
      last.push(file);
      left -= needed;
    }
  }
  return all;
}
