import { encode, join, split } from '../path';
import { page, smaller, type Lister, type ThumbnailSize } from './files';
import { address, ask, send } from './http';
import { links as list } from './out';
import type { NewShare } from './schema';
import type { Link, RequestLink, Share, ShareTerms } from './types';

// The owner's side.

export { list };

/** The link to a path that there is. */
export async function linkFor(path: readonly string[]): Promise<Share | null> {
  const wanted = join(path);
  return (await list()).find((share) => !share.receives && isOpen(share, wanted)) ?? null;
}

/** The link to a path: the one that there is, so that pressing twice gives one address, or else a new one. */
export async function linkTo(path: readonly string[]): Promise<Share> {
  return (await linkFor(path)) ?? make(path);
}

/** The link by which files are received into a folder, if there is one. */
export async function requestFor(path: readonly string[]): Promise<Share | null> {
  const wanted = join(path);
  return (await list()).find((share) => share.receives && isOpen(share, wanted)) ?? null;
}

/** Makes a link by which files are received into a folder. */
export function askFor(path: readonly string[], terms: ShareTerms): Promise<Share> {
  return ask('POST', 'shares', { path: join(path), receives: true, ...terms } satisfies NewShare);
}

function isOpen(share: Share, wanted: string): boolean {
  return share.ended === null && share.path !== null && join(split(share.path)) === wanted;
}

function make(path: readonly string[]): Promise<Share> {
  return ask('POST', 'shares', { path: join(path) } satisfies NewShare);
}

export function change(share: string, terms: ShareTerms): Promise<Share> {
  return ask('PATCH', `shares/${encodeURIComponent(share)}`, terms);
}

export const end = (share: string) => send('DELETE', `shares/${encodeURIComponent(share)}`);

// The guest's side: nothing here needs an account.

export const link = (code: string): Promise<Link | RequestLink> => ask('GET', door(code));

export const unlock = (code: string, password: string) => send('POST', `${door(code)}/session`, { password });

/** Where uploads by a link that receives files are announced. */
export const uploads = (code: string): string => address(`${door(code)}/uploads/`);

/** The address of the one file that a link gives. */
export const content = (code: string): string => address(`${door(code)}/content`);

/** The address of a file in the folder that a link gives. */
export const inside = (code: string, path: readonly string[]): string => address(`${door(code)}/files/${encode(path)}`);

/** The address of a small picture of a file below a link; of the link's own file, the path is empty. */
export function thumbnail(code: string, path: readonly string[], etag: string | null, size: ThumbnailSize): string {
  return address(`${door(code)}/thumbnails/${encode(path)}${smaller(etag, size)}`);
}

/** The address of a folder below a link as one zip. */
export function zip(code: string, path: readonly string[]): string {
  return address(`${door(code)}/zip/${path.length === 0 ? '' : `${encode(path)}/`}`);
}

/** Lists below the folder that a link gives. */
export function lister(code: string): Lister {
  return (path, after, signal, sort) => {
    const folder = path.length === 0 ? '' : `${encode(path)}/`;
    return ask('GET', `${door(code)}/files/${folder}${page(after, sort)}`, undefined, signal);
  };
}

function door(code: string): string {
  return `links/${encodeURIComponent(code)}`;
}
