/** Links whose owner's traffic of today is used up: the service says so only when bytes are asked for. */

import { problem } from './api/http';

/**
 * When a link goes on; none if it goes now. One byte is asked for, since facts are given away even then. Whatever else
 * may be wrong is for the download itself to find.
 */
export async function restsUntil(address: string): Promise<Date | null> {
  const stop = new AbortController();
  try {
    const answer = await fetch(address, { headers: { Range: 'bytes=0-0' }, signal: stop.signal });
    if (answer.status !== 429) return null;
    const { code } = problem(answer.status, await answer.text());
    return code === 'link_traffic' ? after(Number(answer.headers.get('Retry-After'))) : null;
  } catch {
    return null;
  } finally {
    stop.abort();
  }
}

export function after(seconds: number): Date {
  return new Date(Date.now() + (seconds || 3600) * 1000);
}

/** A click on a download: first it is seen whether the link goes, for what a browser is refused it does not show. */
export function taking(
  event: MouseEvent & { currentTarget: HTMLAnchorElement },
  probe: string,
  rests: (until: Date) => void,
): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const { href, download } = event.currentTarget;
  void restsUntil(probe).then((until) => {
    if (until !== null) return rests(until);
    Object.assign(document.createElement('a'), { href, download }).click();
  });
}
