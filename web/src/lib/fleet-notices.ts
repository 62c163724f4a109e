/** Notices as a person reads them: what needs somebody, in which order, and how much time is left. No state. */
import type { ActWord } from './api/notices';
import type { Notice } from './api/types';
import type { Said } from './fleet';
import { daysLeft } from './fleet-dates';
import type { NoticesWords } from './text/en-notices';

/** So many days before its deadline a notice is shown as pressing. */
const PRESSING_DAYS = 14;

/** Nobody took note of it yet. */
export const waits = (notice: Notice): boolean => notice.state === 'received';

/** Somebody is to do something about it. */
export const isOpen = (notice: Notice): boolean => ['received', 'acknowledged', 'planned'].includes(notice.state);

/** A statement of ours that holds. */
export const holds = (notice: Notice): boolean => notice.state === 'in-force';

/** What a person can do with it now. */
export function acts(notice: Notice): ActWord[] {
  switch (notice.state) {
    case 'received':
      return ['acknowledge', 'plan', 'done'];
    case 'acknowledged':
      return ['plan', 'done'];
    case 'planned':
      return ['done'];
    case 'in-force':
      return ['release'];
    default:
      return [];
  }
}

/** Those whose time is short first; of those without a date the newest. */
export function byDeadline(list: readonly Notice[]): Notice[] {
  const end = (notice: Notice) => (notice.deadline === null ? Infinity : new Date(notice.deadline).getTime());
  return [...list].sort((one, other) => end(one) - end(other) || other.made.localeCompare(one.made));
}

/** How much time is left. It presses only while somebody is to do something. */
export function deadline(notice: Notice, t: NoticesWords): Said | null {
  if (notice.deadline === null) return null;
  const days = daysLeft(notice.deadline);
  const words = days < 0 ? t.daysOver(-days) : days === 0 ? t.today : t.daysLeft(days);
  if (!isOpen(notice) || days > PRESSING_DAYS) return { words, grade: 'good' };
  return { words, grade: days < 0 ? 'bad' : 'warn' };
}
