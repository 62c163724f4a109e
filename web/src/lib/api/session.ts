import { ask, send } from './http';
import type { Account, Service } from './types';

// What the page asks before it shows anything; all else of accounts comes with the views that need it.
export const service = (): Promise<Service> => ask('GET', 'service');

export async function account(answer: Promise<{ account: Account }>): Promise<Account> {
  return (await answer).account;
}
export const current = () => account(ask('GET', 'session'));
/** `second` is the six digits or a one-time code; it is sent once the service has asked for it. */
export const signIn = (name: string, password: string, second?: string) =>
  account(ask('POST', 'session', { name, password, second }));
export const signOut = () => send('DELETE', 'session');
