import type { Share, ShareTerms } from './api/types';

/** Terms of a share as a form holds them. */
export interface TermsForm {
  hasPassword: boolean;
  /** Empty keeps the one that is set. */
  password: string;
  hasExpiry: boolean;
  /** The last day, `2026-01-31`, in the reader's own time. */
  day: string;
  hasLimit: boolean;
  limit: number;
  /** What is asked for; empty if nothing is said. */
  words: string;
}

const WEEK_MS = 7 * 86_400_000;
const LIMIT = 10;

export function formOf(share: Share, now = new Date()): TermsForm {
  const expires = share.expires === null ? new Date(now.getTime() + WEEK_MS) : new Date(share.expires);
  return {
    hasPassword: share.password,
    password: '',
    hasExpiry: share.expires !== null,
    day: dayOf(expires),
    hasLimit: share.downloads_max !== null,
    limit: share.downloads_max ?? LIMIT,
    words: share.words ?? '',
  };
}

/** What is to be changed; terms that stay are left out. */
export function changes(share: Share, form: TermsForm): ShareTerms {
  const before = formOf(share);
  const terms: ShareTerms = {};
  if (form.hasPassword && form.password !== '') terms.password = form.password;
  if (!form.hasPassword && share.password) terms.password = null;
  if (form.hasExpiry && (!before.hasExpiry || form.day !== before.day)) terms.expires = endOf(form.day);
  if (!form.hasExpiry && before.hasExpiry) terms.expires = null;
  const limit = form.hasLimit ? form.limit : null;
  if (limit !== share.downloads_max) terms.downloads_max = limit;
  const words = form.words.trim();
  if (share.receives && words !== (share.words ?? '')) terms.words = words === '' ? null : words;
  return terms;
}

/** Whether the form can be saved: a password that is switched on must be typed once. */
export function isComplete(share: Share, form: TermsForm): boolean {
  const password = !form.hasPassword || share.password || form.password !== '';
  const limit = !form.hasLimit || (Number.isInteger(form.limit) && form.limit > 0);
  return password && limit && (!form.hasExpiry || form.day !== '');
}

function dayOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The last second of a day in the reader's own time. */
function endOf(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString();
}
