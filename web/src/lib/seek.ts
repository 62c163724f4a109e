/** What a search asks for, as the page's address says it. No I/O, no state. */

export const KINDS = ['folder', 'image', 'video', 'audio', 'document', 'other'] as const;
export type SeekKind = (typeof KINDS)[number];

export interface Seek {
  q: string;
  kind?: SeekKind;
  /** A day, `2026-01-31`, in the reader's own time. */
  since?: string;
  /** Bytes. */
  least?: number;
  /** Names of the folder that is looked in; none for all. */
  under?: string[];
  /** The grant of what somebody shares that is looked through; none for the own files. */
  shared?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function parseSeek(query: URLSearchParams): Seek {
  const kind = KINDS.find((one) => one === query.get('kind'));
  const since = query.get('since') ?? '';
  const least = Number(query.get('least') ?? NaN);
  const shared = query.get('shared');
  const under = (query.get('under') ?? '').split('/').filter((name) => name !== '');
  return {
    q: query.get('q') ?? '',
    ...(kind === undefined ? {} : { kind }),
    ...(DAY.test(since) && !Number.isNaN(Date.parse(since)) ? { since } : {}),
    ...(Number.isSafeInteger(least) && least > 0 ? { least } : {}),
    ...(under.length === 0 ? {} : { under }),
    ...(shared ? { shared } : {}),
  };
}

/** The same for the page's own address. */
export function writeSeek(seek: Seek): URLSearchParams {
  const query = new URLSearchParams();
  if (seek.q !== '') query.set('q', seek.q);
  if (seek.kind !== undefined) query.set('kind', seek.kind);
  if (seek.since !== undefined) query.set('since', seek.since);
  if (seek.least !== undefined) query.set('least', String(seek.least));
  if (seek.under !== undefined) query.set('under', `/${seek.under.join('/')}`);
  if (seek.shared !== undefined) query.set('shared', seek.shared);
  return query;
}

/** The same for a request, where a day is a moment. */
export function requestOf(seek: Seek): URLSearchParams {
  const query = writeSeek(seek);
  query.delete('since');
  // It is in the path.
  query.delete('shared');
  if (seek.since !== undefined) query.set('from', new Date(`${seek.since}T00:00:00`).toISOString());
  return query;
}

/** Whether anything is asked for at all. */
export function isEmpty({ q, kind, since, least }: Seek): boolean {
  return q.trim() === '' && kind === undefined && since === undefined && least === undefined;
}
