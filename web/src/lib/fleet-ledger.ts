/** The ledger from its end: the service gives the first entries first, people want the last. */
import { checkpoint, entriesAfter, LEDGER_PAGE } from './api/ledger';
import type { LedgerEntry, Notice } from './api/types';

/** A page of the ledger, newest first, and the number below which the next one lies; none: that was the beginning. */
export interface LedgerPage {
  entries: LedgerEntry[];
  next: number | null;
}

/** The entries below a number. */
export async function entriesBelow(below: number): Promise<LedgerPage> {
  const after = Math.max(0, below - 1 - LEDGER_PAGE);
  const entries = (await entriesAfter(after)).filter(({ n }) => n < below).reverse();
  return { entries, next: after === 0 ? null : after + 1 };
}

/** The first value of a key. */
export const field = (entry: LedgerEntry, key: string): string | undefined =>
  entry.fields.find((field) => field.key === key)?.value;

/** So long before a notice was made its first entry may be written down as made, in milliseconds: whole seconds are kept. */
const SLACK_MS = 2_000;

/** What was noted of a notice, the first thing first. The ledger is read back to when the notice was made. */
export async function history({ id, made }: Notice): Promise<LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  let below: number | null = (await checkpoint()).size + 1;
  while (below !== null) {
    const page: LedgerPage = await entriesBelow(below);
    found.push(...page.entries.filter((entry) => field(entry, 'notice') === id || field(entry, 'supersedes') === id));
    const oldest = page.entries.at(-1);
    const before = oldest !== undefined && new Date(oldest.at).getTime() < new Date(made).getTime() - SLACK_MS;
    below = before ? null : page.next;
  }
  return found.reverse();
}
