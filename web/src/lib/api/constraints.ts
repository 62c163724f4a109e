import { ask } from './http';
import type { FleetConstraint, FleetConstraints } from './schema';

export type { FleetConstraint, FleetConstraints };

/** Which labels keep firms apart, and which firms count as one because of them. */
export const constraints = () => ask<FleetConstraints>('GET', 'fleet/constraints');
