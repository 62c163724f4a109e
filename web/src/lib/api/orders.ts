import { ask } from './http';
import type { Drilled, FleetOrder, NewOrder, Ordered } from './schema';

// What an operator orders of a firm: all its targets at once.

export type { FleetOrder, NewOrder };

export const order = (provider: string, what: Omit<NewOrder, 'provider' | 'target'>) =>
  ask<Ordered>('POST', 'fleet/orders', { provider, ...what } satisfies NewOrder);

/** Reads without a firm what would be left: everything, or this many packs. Waits for the end. */
export const drill = (provider: string, sample: number | null) =>
  ask<Drilled>('POST', 'fleet/drills', { provider, sample });
