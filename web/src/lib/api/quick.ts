import { ask, send } from './http';
import type { Time } from './types';

/** What anybody may send without an account. */
export interface Quick {
  file_bytes: number;
  days_max: number;
  /** For operators: what all of it may take, and what may come in a day. */
  space_bytes?: number | null;
  bytes_per_day?: number | null;
}

/** What operators set of it. */
export interface QuickTerms {
  file_bytes: number;
  days_max: number;
  space_bytes: number;
  bytes_per_day: number;
}

/** A place for one file that is about to be sent. */
export interface QuickPlace {
  /** Where its upload is announced, from the top of the service. */
  upload: string;
  /** Of the link that opens as soon as the file is stored. */
  code: string;
  expires: Time;
  /** With this it is removed before its end. */
  remove: string;
}

export const makePlace = (name: string, size: number, days: number) =>
  ask<QuickPlace>('POST', 'quick', { name, size, days });

export const removeQuick = (code: string, remove: string) =>
  send('DELETE', `quick/${encodeURIComponent(code)}`, { remove });
