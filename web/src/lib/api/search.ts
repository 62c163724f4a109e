import { requestOf, type Seek } from '../seek';
import { ask } from './http';
import type { FoundPage } from './types';

/** One step of a search: the service looks at a bounded number of names and says where it stopped. */
export function search(seek: Seek, after: string | null, limit: number, signal: AbortSignal): Promise<FoundPage> {
  const query = requestOf(seek);
  query.set('limit', String(limit));
  if (after !== null) query.set('after', after);
  const door = seek.shared === undefined ? '' : `shared/${encodeURIComponent(seek.shared)}/`;
  return ask('GET', `${door}search?${query}`, undefined, signal);
}
