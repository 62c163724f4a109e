import { address, send } from './http';

/** An identity at another service that opens an account of this one. */
export type { Identity as Tied } from './schema';

// Addresses to go to, not to ask: the other service takes over the whole window.
export const enterElsewhere = (): string => address('session/oidc');
export const tieElsewhere = (): string => address('session/oidc?link=1');
export const untie = () => send('DELETE', 'session/oidc');
