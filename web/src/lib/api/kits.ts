/** What the service may know of recovery kits: public halves, and whether they were tested. */

import type { NewKit } from './types';
import { ask, send } from './http';

/** Adds a kit's public half. The answer comes when the account's key is sealed for it and kept by enough providers. */
export const addKit = (recipient: string) => ask<NewKit>('POST', 'kits', { recipient });
export const notifyTested = (id: string) => send('POST', `kits/${encodeURIComponent(id)}/tested`);
