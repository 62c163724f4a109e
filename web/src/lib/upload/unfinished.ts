/**
 * Uploads that are not at their end, kept in the browser so that they go on after the page was closed. Each tab has a
 * list of its own, so that none takes what another sends for cut off; the list of a tab that is gone goes to the next one.
 */

import { ifGone } from './tabs';

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

/** Storage is 5 MB in all; so many, in all lists together, fit into half of it. */
const KEPT_MAX = 15_000;

const PREFIX = 'holdfast.uploads:';

const keyOf = (tab: string, account: string) => `${PREFIX}${tab}:${account}`;
/** Where all tabs once wrote one list; whoever wrote it is gone. */
const oldKey = (account: string) => `holdfast.uploads.${account}`;

/** The list of a tab, with those of tabs that are gone, which are its own from now on. */
export async function takeUp(tab: string, account: string): Promise<Unfinished[]> {
  const own = keyOf(tab, account);
  const adopt = (key: string) => {
    const found = load(key);
    // What is taken away here, no other finds.
    drop(key);
    if (found.length > 0) keep(tab, account, [...load(own), ...found]);
  };
  const others = tabsOf(keys(), account).filter((other) => other !== tab);
  await Promise.all(others.map((other) => ifGone(other, () => adopt(keyOf(other, account)))));
  adopt(oldKey(account));
  return load(own);
}

/** Notes what is unfinished in a tab, as far as there is room beside the lists of the others. */
export function keep(tab: string, account: string, unfinished: readonly Unfinished[]): void {
  const own = keyOf(tab, account);
  if (unfinished.length === 0) return drop(own);
  const others = keys().filter((key) => key.startsWith(PREFIX) && key !== own);
  const room = Math.max(0, KEPT_MAX - others.reduce((sum, key) => sum + load(key).length, 0));
  try {
    localStorage.setItem(own, JSON.stringify(unfinished.slice(0, room)));
  } catch {
    // Storage is full or forbidden: uploads run all the same, and only cannot be taken up after the page was closed.
  }
}

/** The tabs of which there is a list for an account. */
function tabsOf(keys: readonly string[], account: string): string[] {
  const end = `:${account}`;
  return keys
    .filter((key) => key.startsWith(PREFIX) && key.endsWith(end))
    .map((key) => key.slice(PREFIX.length, -end.length))
    .filter((tab) => /^\w+$/.test(tab));
}

function keys(): string[] {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

function load(key: string): Unfinished[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isUnfinished) : [];
  } catch {
    return [];
  }
}

function drop(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Forbidden, so there is nothing.
  }
}

function isUnfinished(value: unknown): value is Unfinished {
  if (typeof value !== 'object' || value === null) return false;
  const { shared, path, size, modified, url } = value as Partial<Record<keyof Unfinished, unknown>>;
  const named = Array.isArray(path) && path.length > 0 && path.every((name) => typeof name === 'string');
  if (shared !== undefined && typeof shared !== 'string') return false;
  return named && typeof size === 'number' && typeof modified === 'number' && (url === null || typeof url === 'string');
}
