import type { UploadItem } from './item.svelte';

/** Figures over many uploads. */
export interface Tally {
  all: number;
  /** Waiting or being sent. */
  active: number;
  paused: number;
  done: number;
  failed: number;
  stopped: number;
  lost: number;
  /** Bytes that went, and bytes in all, of what is not stopped or lost. */
  sent: number;
  size: number;
}

export const NOTHING: Tally = {
  all: 0,
  active: 0,
  paused: 0,
  done: 0,
  failed: 0,
  stopped: 0,
  lost: 0,
  sent: 0,
  size: 0,
};

export function tally(items: readonly UploadItem[]): Tally {
  const sum = { ...NOTHING, all: items.length };
  for (const { state, sent, size } of items) {
    sum[state === 'waiting' || state === 'sending' ? 'active' : state] += 1;
    if (state === 'stopped' || state === 'lost') continue;
    sum.sent += sent;
    sum.size += size;
  }
  return sum;
}

/** Whole percent of the bytes; 100 only if nothing is left to do. */
export function percent({ sent, size, active }: Tally): number {
  if (active === 0) return 100;
  return size === 0 ? 0 : Math.min(99, Math.floor((100 * sent) / size));
}

const ORDER: Record<UploadItem['state'], number> = {
  sending: 0,
  failed: 1,
  paused: 2,
  lost: 3,
  waiting: 4,
  done: 5,
  stopped: 6,
};

/** What wants attention first, what is done last; else as it was added. */
export function inOrder(items: readonly UploadItem[]): UploadItem[] {
  return [...items].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
}
