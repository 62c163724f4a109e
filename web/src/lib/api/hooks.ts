import { ask, send } from './http';
import type { Time } from './types';

export const HOOK_EVENTS = ['file.stored', 'share.made', 'share.changed', 'share.ended', 'request.received'] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** What came of one delivery. */
export interface Delivery {
  /** What the receiver answered; none if it gave no answer. */
  status: number | null;
  trouble: string | null;
}

export interface Hook {
  id: string;
  address: string;
  events: HookEvent[];
  label: string | null;
  on: boolean;
  /** Why the service switched it off itself. */
  off_why?: string | null;
  made: Time;
  last: (Delivery & { at: Time; event: HookEvent }) | null;
  /** Deliveries on their way, or to be tried again. */
  waiting: number;
}

export interface HookTerms {
  on?: boolean;
  events?: HookEvent[];
  label?: string;
}

const one = (id: string) => `webhooks/${encodeURIComponent(id)}`;

export const hooks = async () => (await ask<{ webhooks: Hook[] }>('GET', 'webhooks')).webhooks;
/** The secret is told this once. */
export const addHook = (address: string, events: HookEvent[], label?: string) =>
  ask<Hook & { secret: string }>('POST', 'webhooks', { address, events, label });
export const changeHook = (id: string, terms: HookTerms) => ask<Hook>('PATCH', one(id), terms);
export const removeHook = (id: string) => send('DELETE', one(id));
export const testHook = (id: string) => ask<Delivery>('POST', `${one(id)}/test`);
