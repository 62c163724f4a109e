import { ask, send } from './http';
import type { DeskMade, LeaseChange, LeaseMade, Leases } from './schema';

// What operators keep of leases.

export type { DeskMade, LeaseChange };

const one = (id: string) => `leases/${encodeURIComponent(id)}`;

export const leases = async () => (await ask<Leases>('GET', 'leases')).leases;
export const addLease = async (lease: LeaseChange) => (await ask<LeaseMade>('POST', 'leases', lease)).id;
export const changeLease = (id: string, lease: LeaseChange) => send('PATCH', one(id), lease);

/** Opens the desk of a lease, or gives it another token, which is told this once. */
export const openDesk = (id: string) => ask<DeskMade>('POST', `${one(id)}/desk`, {});
export const closeDesk = (id: string) => send('DELETE', `${one(id)}/desk`);
