/** Uploads that are not at their end, kept in the browser so that they go on after the page was closed. */

export interface Unfinished {
  /** The grant by which its tree is seen; none for the own one. */
  shared?: string;
  path: string[];
  size: number;
  /** Milliseconds since 1970, as the file's owner's device says. */
  modified: number;
  /** Where the service took what has arrived; none if nothing has. */
  url: string | null;
}

/** Storage is 5 MB in all; so many fit into half of it. */
const KEPT_MAX = 15_000;

const key = (account: string) => `holdfast.uploads.${account}`;

export function load(account: string): Unfinished[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(account)) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isUnfinished) : [];
  } catch {
    return [];
  }
}

export function keep(account: string, unfinished: readonly Unfinished[]): void {
  try {
    if (unfinished.length === 0) localStorage.removeItem(key(account));
    else localStorage.setItem(key(account), JSON.stringify(unfinished.slice(0, KEPT_MAX)));
  } catch {
    // Storage is full or forbidden: uploads run all the same, and only cannot be taken up after the page was closed.
  }
}

function isUnfinished(value: unknown): value is Unfinished {
  if (typeof value !== 'object' || value === null) return false;
  const { shared, path, size, modified, url } = value as Partial<Record<keyof Unfinished, unknown>>;
  const named = Array.isArray(path) && path.length > 0 && path.every((name) => typeof name === 'string');
  if (shared !== undefined && typeof shared !== 'string') return false;
  return named && typeof size === 'number' && typeof modified === 'number' && (url === null || typeof url === 'string');
}
