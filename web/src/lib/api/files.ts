import { encode, join } from '../path';
import { address, ask, Problem, send } from './http';
import type { Entry, Page, Trashed } from './types';

/** Entries asked for at once. */
const PAGE = 1000;

/** Lists the contents of something, page by page. */
export type Lister = (path: readonly string[], after: string | null, signal?: AbortSignal) => Promise<Page<Entry>>;

export const list: Lister = (path, after, signal) => ask('GET', `${folder(path)}${page(after)}`, undefined, signal);

/** The address of a file's bytes. */
export function bytes(path: readonly string[]): string {
  return address(file(path));
}

/** Whether anything has this name. */
export async function exists(path: readonly string[]): Promise<boolean> {
  try {
    await send('HEAD', file(path));
    return true;
  } catch (error) {
    if (error instanceof Problem && !error.passing && error.status !== 401) return error.status !== 404;
    throw error;
  }
}

export async function makeFolder(path: readonly string[]): Promise<void> {
  await send('POST', file(path), { action: 'mkdir' });
}

/** Moves or copies; refused with `exists` if the name is taken and `replace` is not set. */
export async function transfer(
  action: 'move' | 'copy',
  from: readonly string[],
  to: readonly string[],
  replace = false,
): Promise<void> {
  await send('POST', file(from), { action, to: join(to), replace });
}

export async function trash(path: readonly string[], kind: Entry['kind']): Promise<void> {
  await send('DELETE', kind === 'folder' ? folder(path) : file(path));
}

export async function restore(path: readonly string[]): Promise<void> {
  await send('POST', file(path), { action: 'restore' });
}

export function trashed(after: string | null, signal?: AbortSignal): Promise<Page<Trashed>> {
  return ask('GET', `trash${page(after)}`, undefined, signal);
}

export function page(after: string | null): string {
  return after === null ? `?limit=${PAGE}` : `?limit=${PAGE}&after=${encodeURIComponent(after)}`;
}

function file(path: readonly string[]): string {
  return `files/${encode(path)}`;
}

function folder(path: readonly string[]): string {
  return path.length === 0 ? 'files/' : `${file(path)}/`;
}
