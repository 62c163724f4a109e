import type { Account } from './api/types';

/** The share of a quota from which on the page warns. */
const WARN = 0.8;

/** How much of its quota an account uses, from 0; none if it has no limit. */
export function usedShare({ used_bytes, quota_bytes }: Pick<Account, 'used_bytes' | 'quota_bytes'>): number | null {
  if (quota_bytes === null) return null;
  return quota_bytes === 0 ? 1 : used_bytes / quota_bytes;
}

export function almostFull(account: Pick<Account, 'used_bytes' | 'quota_bytes'>): boolean {
  return (usedShare(account) ?? 0) >= WARN;
}
