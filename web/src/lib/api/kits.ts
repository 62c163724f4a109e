/** What the service may know of recovery kits: public halves, and whether they were tested. */

import type { Kit, NewKit } from './types';
import { ask, send } from './http';

export const kits = async () => (await ask<{ kits: Kit[] }>('GET', 'kits')).kits;
export const revokeKit = (id: string) => send('DELETE', `kits/${encodeURIComponent(id)}`);

/** Adds a kit's public half. The answer comes when the account's key is sealed for it and kept by enough providers. */
export const addKit = (recipient: string) => ask<NewKit>('POST', 'kits', { recipient });
export const notifyTested = (id: string) => send('POST', `kits/${encodeURIComponent(id)}/tested`);
