import { encode, join } from '../path';
import type { Sort } from '../sort';
import { address, ask, Problem, send } from './http';
import type { Erased, Versions } from './schema';
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

/** Longer sides of the small pictures that the service makes. */
export type ThumbnailSize = 256 | 1024;

/**
 * The top of a tree of files, and what can be asked of everything below it: the own tree, or what somebody shares with
 * this account. Both are asked in the same way, behind different doors.
 */
export class Root {
  /** What stands before every address of the tree. */
  readonly #door: string;

  constructor(
    /** The grant by which it is seen; none for the own tree. */
    readonly shared: string | null = null,
    /** What its top is called; none for the own tree, whose word is the language's. */
    readonly name: string | null = null,
  ) {
    this.#door = shared === null ? '' : `shared/${encodeURIComponent(shared)}/`;
  }

  /** Where uploads into it are announced. */
  get uploads(): string {
    return address(`${this.#door}uploads/`);
  }

  readonly list: Lister = (path, after, signal, sort) =>
    ask('GET', `${this.#folder(path)}${page(after, sort)}`, undefined, signal);

  /** The address of a file's bytes, or of those that a version of it has. */
  bytes(path: readonly string[], version?: string): string {
    return address(version === undefined ? this.#file(path) : `${this.#file(path)}?version=${version}`);
  }

  /** The address of a small picture of a file; with its version in it, a browser may keep what comes. */
  thumbnail(path: readonly string[], etag: string | null, size: ThumbnailSize): string {
    return address(`${this.#door}thumbnails/${encode(path)}${smaller(etag, size)}`);
  }

  /** The address of a folder as one zip, or of some entries of it. */
  zip(path: readonly string[], names: readonly string[] = []): string {
    const only = names.length === 0 ? '' : `?names=${encodeURIComponent(names.join('/'))}`;
    return address(`${this.#door}zip/${path.length === 0 ? '' : `${encode(path)}/`}${only}`);
  }

  /** All versions of a file, newest first. */
  async versions(path: readonly string[], signal?: AbortSignal): Promise<readonly Version[]> {
    const address = `${this.#door}versions/${encode(path)}`;
    return (await ask<Versions>('GET', address, undefined, signal)).versions;
  }

  /** Makes an older version the current one. */
  async revert(path: readonly string[], version: string): Promise<void> {
    await send('POST', this.#file(path), { action: 'revert', version });
  }

  /** Whether anything has this name. */
  async exists(path: readonly string[]): Promise<boolean> {
    try {
      await send('HEAD', this.#file(path));
      return true;
    } catch (error) {
      if (error instanceof Problem && !error.passing && error.status !== 401) return error.status !== 404;
      throw error;
    }
  }

  async makeFolder(path: readonly string[]): Promise<void> {
    await send('POST', this.#file(path), { action: 'mkdir' });
  }

  /**
   * Moves or copies within the tree, or copies into another one; refused with `exists` if the name is taken and `replace` is
   * not set.
   */
  async transfer(
    action: 'move' | 'copy',
    from: readonly string[],
    to: readonly string[],
    replace = false,
    into: Root = this,
  ): Promise<void> {
    const other = into.shared === this.shared ? {} : { into: into.shared ?? 'own' };
    await send('POST', this.#file(from), { action, to: join(to), replace, ...other });
  }

  /** To the trash of whose tree it is. */
  async trash(path: readonly string[], kind: Entry['kind']): Promise<void> {
    await send('DELETE', kind === 'folder' ? this.#folder(path) : this.#file(path));
  }

  async restore(path: readonly string[]): Promise<void> {
    await send('POST', this.#file(path), { action: 'restore' });
  }

  #file(path: readonly string[]): string {
    return `${this.#door}files/${encode(path)}`;
  }

  #folder(path: readonly string[]): string {
    return path.length === 0 ? this.#file(path) : `${this.#file(path)}/`;
  }
}

/** The own tree. */
export const OWN = new Root();

export function smaller(etag: string | null, size: ThumbnailSize): string {
  return `?size=${size}${etag === null ? '' : `&version=${encodeURIComponent(etag)}`}`;
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
  return (await ask<Erased>('DELETE', `trash${which}`)).erased;
}

export function page(after: string | null, sort: Sort = 'name'): string {
  const sorted = sort === 'name' ? '' : `&sort=${sort}`;
  return `?limit=${PAGE}${sorted}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`;
}
