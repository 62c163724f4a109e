/** What this account shows to others, by what it is. No I/O, no state. */

import type { Grant, Share } from './api/types';
import { join, split } from './path';

/** One entry with everything by which others see it. */
export interface Given {
  key: string;
  /** None if it was thrown away or is gone. */
  path: readonly string[] | null;
  kind: 'folder' | 'file' | null;
  links: Share[];
  grants: Grant[];
}

/** Links and grants by their entries: what was shared last comes first. */
export function grouped(links: readonly Share[], grants: readonly Grant[]): Given[] {
  const all = new Map<string, Given>();
  const newestFirst = [...links, ...grants].sort((a, b) => b.made.localeCompare(a.made));
  for (const one of newestFirst) {
    // What has no place any more cannot be known to be the same.
    const path = one.path === null ? null : split(one.path);
    const key = path === null ? one.id : join(path);
    const given = all.get(key) ?? { key, path, kind: one.kind, links: [], grants: [] };
    if ('to' in one) given.grants.push(one);
    else given.links.push(one);
    all.set(key, given);
  }
  return [...all.values()];
}
