/** Makes a kit: its secret here, its public half at the service, and both put together here again. */

import { Problem } from '../api/http';
import { addKit, kits } from '../api/kits';
import type { NewKit } from '../api/types';
import type { KitContent } from './kit';
import { newIdentity, recipientOf } from './secret';

/** The service has a kit whose page cannot be written, since its answer was lost. It should be revoked. */
export class StrayKit extends Error {
  constructor(readonly id: string) {
    super('the answer about a new kit was lost');
    this.name = 'StrayKit';
  }
}

/** Public halves of which it is not known whether the service has them, since it went silent. */
const doubtful = new Set<string>();

/** Makes a kit. Throws `StrayKit` if one was added, now or in an earlier try, and cannot be used. */
export async function makeKit(): Promise<KitContent> {
  if (doubtful.size > 0) await lookForStrays();
  const identity = newIdentity();
  const recipient = recipientOf(identity) ?? '';
  try {
    return contentOf(await addKit(recipient), identity);
  } catch (error) {
    // Refused: nothing was added.
    if (error instanceof Problem && !error.passing) throw error;
    doubtful.add(recipient);
    await lookForStrays();
    throw error;
  }
}

/** Throws `StrayKit` if the service has a doubtful kit; else nothing is in doubt any more. */
async function lookForStrays(): Promise<void> {
  const stray = (await kits()).find((kit) => doubtful.has(kit.recipient) && kit.revoked === null);
  if (stray !== undefined) throw new StrayKit(stray.id);
  doubtful.clear();
}

/** A kit of what the service answered and the secret made here; throws if it is not what the interface promises. */
function contentOf(answer: NewKit, identity: string): KitContent {
  const { id, cluster, account, addresses } = answer;
  const made = Date.parse(answer.made) * 1000;
  if (![id, cluster, account].every((text) => /^[0-9a-f]{32}$/.test(text)) || !Number.isFinite(made))
    throw new TypeError('the answer about a new kit is not understood');
  const texts = addresses.map(({ provider, driver, address }) => ({ provider, driver, address }));
  if (!texts.every((one) => Object.values(one).every((text) => typeof text === 'string')))
    throw new TypeError('the addresses of a new kit are not understood');
  return { id, cluster, account, made, identity, addresses: texts };
}
