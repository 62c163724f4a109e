import { ask, send } from './http';
import type { QuickBegun } from './schema';

/** What anybody may send without an account, and what operators set of it; and a place for one file that is about to be sent. */
export type { QuickBegun as QuickPlace, QuickLimits as Quick, QuickLimits as QuickTerms } from './schema';

export const makePlace = (name: string, size: number, days: number) =>
  ask<QuickBegun>('POST', 'quick', { name, size, days });

export const removeQuick = (code: string, remove: string) =>
  send('DELETE', `quick/${encodeURIComponent(code)}`, { remove });
