import { ask } from './http';
import type { Drilled, FleetOrder, NewOrder, Ordered } from './schema';
import type { Target } from './types';

// What an operator orders of a firm, of a server of it, or of one target.

export type { FleetOrder, NewOrder };

/** Of whom: a firm and a server by name, a target by its address. */
export type Whom = Pick<NewOrder, 'provider' | 'server' | 'target'>;
/** What is ordered. */
export type Said = Omit<NewOrder, keyof Whom>;

export const order = (whom: Whom, what: Said) =>
  ask<Ordered>('POST', 'fleet/orders', { ...whom, ...what } satisfies NewOrder);

/** Looks at a target now; how it stands. */
export const probe = (target: string) => ask<Target>('POST', 'fleet/probes', { address: target });

/** Reads without a firm what would be left: everything, or this many packs. Waits for the end. */
export const drill = (provider: string, sample: number | null) =>
  ask<Drilled>('POST', 'fleet/drills', { provider, sample });
