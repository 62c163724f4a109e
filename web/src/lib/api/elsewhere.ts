import { address, send } from './http';
import type { Time } from './types';

/** An identity at another service that opens an account of this one. */
export interface Tied {
  /** What the other service calls whoever it is; may be empty. */
  subject_name: string;
  since: Time;
}

// Addresses to go to, not to ask: the other service takes over the whole window.
export const enterElsewhere = (): string => address('session/oidc');
export const tieElsewhere = (): string => address('session/oidc?link=1');
export const untie = () => send('DELETE', 'session/oidc');
