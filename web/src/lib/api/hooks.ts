import { ask, send } from './http';
import type { Webhook, WebhookChange, WebhookDelivery, WebhookTrial } from './schema';

export const HOOK_EVENTS = ['file.stored', 'share.made', 'share.changed', 'share.ended', 'request.received', 'notice.waits'] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** What came of one delivery. */
export type Delivery = WebhookTrial;

/** Its events are those that this page knows by name. */
export type Hook = Omit<Webhook, 'events' | 'last'> & {
  events: HookEvent[];
  last: (WebhookDelivery & { event: HookEvent }) | null;
};

export type HookTerms = WebhookChange & { events?: HookEvent[] | null };

const one = (id: string) => `webhooks/${encodeURIComponent(id)}`;

export const hooks = async () => (await ask<{ webhooks: Hook[] }>('GET', 'webhooks')).webhooks;
/** The secret is told this once. */
export const addHook = (address: string, events: HookEvent[], label?: string) =>
  ask<Hook & { secret: string }>('POST', 'webhooks', { address, events, label });
export const changeHook = (id: string, terms: HookTerms) => ask<Hook>('PATCH', one(id), terms);
export const removeHook = (id: string) => send('DELETE', one(id));
export const testHook = (id: string) => ask<Delivery>('POST', `${one(id)}/test`);
