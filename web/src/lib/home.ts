/** The zips that together hold everything of an account, or all that came since a day. */

import { address } from './api/http';
import { takeout } from './api/space';
import type { TakeoutPart } from './api/schema';

export interface Part extends TakeoutPart {
  number: number;
  address: string;
}

/** How large a zip may be, in bytes. */
export const SIZES = [100_000_000, 2_000_000_000, 10_000_000_000] as const;
export const SIZE = SIZES[1];

/** `since`: the first moment of a day, or none. */
export async function parts(since: Date | null, bytes: number): Promise<readonly Part[]> {
  const all: Part[] = [];
  const fixed: [string, string][] = since === null ? [] : [['since', since.toISOString()]];
  let after: string | null = null;
  do {
    const query = new URLSearchParams([...fixed, ['bytes', `${bytes}`], ...(after === null ? [] : [['after', after]])]);
    const found = await takeout(query);
    for (const part of found.parts) {
      const number = all.length + 1;
      all.push({ ...part, number, address: zip(part, number, fixed) });
    }
    after = found.next;
  } while (after !== null);
  return all;
}

function zip({ after, until }: TakeoutPart, number: number, fixed: [string, string][]): string {
  const query = new URLSearchParams(fixed);
  if (after !== null) query.set('after', after);
  if (until !== null) query.set('until', until);
  return address(`takeout/${number}?${query}`);
}
