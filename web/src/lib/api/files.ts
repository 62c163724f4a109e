import { encode, join } from '../path';
import type { Sort } from '../sort';
import { address, ask, Problem, send } from './http';
import type { Entry, Page, Trashed, Version } from './types';

/** Entries asked for at once. */
const PAGE = 1000;

/** Lists the contents of something, page by page. */
export type Lister = (
  path: readonly string[],
  after: string | null,
  signal?: AbortSignal,
  sort?: Sort,
) => Promise<Page<Entry>>;

export const list: Lister = (path, after, signal, sort) =>
  ask('GET', `${folder(path)}${page(after, sort)}`, undefined, signal);

/** The address of a file's bytes, or of those that a version of it has. */
export function bytes(path: readonly string[], version?: string): string {
  return address(version === undefined ? file(path) : `${file(path)}?version=${version}`);
}

/** Longer sides of the small pictures that the service makes. */
export type ThumbnailSize = 256 | 1024;

/** The address of a small picture of a file; with its version in it, a browser may keep what comes. */
export function thumbnail(path: readonly string[], etag: string | null, size: ThumbnailSize): string {
  return address(`thumbnails/${encode(path)}${smaller(etag, size)}`);
}

export function smaller(etag: string | null, size: ThumbnailSize): string {
  return `?size=${size}${etag === null ? '' : `&version=${encodeURIComponent(etag)}`}`;
}

/** All versions of a file, newest first. */
export async function versions(path: readonly string[], signal?: AbortSignal): Promise<readonly Version[]> {
  const answer = await ask<{ versions: Version[] }>('GET', `versions/${encode(path)}`, undefined, signal);
  return answer.versions;
}

/** Makes an older version the current one. */
export async function revert(path: readonly string[], version: string): Promise<void> {
  await send('POST', file(path), { action: 'revert', version });
}

/** The address of a folder as one zip, or of some entries of it. */
export function zip(path: readonly string[], names: readonly string[] = []): string {
  const only = names.length === 0 ? '' : `?names=${encodeURIComponent(names.join('/'))}`;
  return address(`zip/${path.length === 0 ? '' : `${encode(path)}/`}${only}`);
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

/** Erases everything in the trash; returns how many things that were. */
export const emptyTrash = (): Promise<number> => erase('');

/** Erases of the trash what was thrown away last of all that lay at `path`. */
export const eraseTrashed = (path: readonly string[]): Promise<number> =>
  erase(`?path=${encodeURIComponent(join(path))}`);

async function erase(which: string): Promise<number> {
  return (await ask<{ erased: number }>('DELETE', `trash${which}`)).erased;
}

export function page(after: string | null, sort: Sort = 'name'): string {
  const sorted = sort === 'name' ? '' : `&sort=${sort}`;
  return `?limit=${PAGE}${sorted}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`;
}

function file(path: readonly string[]): string {
  return `files/${encode(path)}`;
}

function folder(path: readonly string[]): string {
  return path.length === 0 ? 'files/' : `${file(path)}/`;
}
