/** Files from drops, pastes and pickers, each with its place below the folder that it was given to. */

import type { Taken } from './take';

export interface Incoming {
  /** Names of folders, then of the file. */
  path: string[];
  file: File;
}

export interface Gathered {
  files: Incoming[];
  /** Folders without files; the others come with what is in them. */
  empty: string[][];
}

/** Files of a picker; those of a folder picker say their places. */
export function fromPicker(list: Iterable<File>): Gathered {
  const files = Array.from(list, (file) => ({ path: placed(file), file }));
  return { files, empty: [] };
}

function placed(file: File): string[] {
  return file.webkitRelativePath === '' ? [file.name] : file.webkitRelativePath.split('/');
}

/** Everything in a drop or a paste, folders included. `found` is told the count on the way. */
export async function fromTransfer({ entries, files }: Taken, found: (count: number) => void): Promise<Gathered> {
  if (entries.length === 0) return fromPicker(files);
  const gathered: Gathered = { files: [], empty: [] };
  for (const entry of entries) await walk(entry, [], gathered, found);
  return gathered;
}

async function walk(entry: FileSystemEntry, above: string[], into: Gathered, found: (count: number) => void) {
  const path = [...above, entry.name];
  if (isFile(entry)) {
    into.files.push({ path, file: await new Promise<File>((done, fail) => entry.file(done, fail)) });
    if (into.files.length % 100 === 0) found(into.files.length);
  } else if (isFolder(entry)) {
    const children = await readAll(entry.createReader());
    if (children.length === 0) into.empty.push(path);
    for (const child of children) await walk(child, path, into, found);
  }
}

/** A reader gives at most some hundred entries at once, and an empty list at the end. */
async function readAll(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
