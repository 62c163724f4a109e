import { ask, send } from './http';
import type { Leaving, People, Sessions, TokenMade, Tokens } from './schema';
import type { Account, AccountTerms, Fleet, Invitation, Kit, Role, Service } from './types';

const id = encodeURIComponent;

async function account(answer: Promise<{ account: Account }>): Promise<Account> {
  return (await answer).account;
}

export const service = (): Promise<Service> => ask('GET', 'service');

// The own account.
export const current = () => account(ask('GET', 'session'));
/** `second` is the six digits or a one-time code; it is sent once the service has asked for it. */
export const signIn = (name: string, password: string, second?: string) =>
  account(ask('POST', 'session', { name, password, second }));
export const signOut = () => send('DELETE', 'session');
/** Without an invitation where anybody may join. */
export const claim = (invitation: string | undefined, name: string, password: string) =>
  account(ask('POST', 'accounts', { invitation, name, password }));
export const changePassword = (old: string, next: string) => send('POST', 'password', { old, new: next });
export const resetPassword = (code: string, next: string, second?: string) =>
  account(ask('POST', 'password/reset', { code, new: next, second }));

/** Deletes the account and all its files, in 14 days. */
export const leave = (password: string, second?: string) =>
  ask<Leaving>('POST', 'session/leave', { password, second });
export const stay = () => send('DELETE', 'session/leave');

export const sessions = async () => (await ask<Sessions>('GET', 'sessions')).sessions;
export const endSession = (session: string) => send('DELETE', `sessions/${id(session)}`);

export const tokens = async () => (await ask<Tokens>('GET', 'tokens')).tokens;
export const makeToken = (label: string, days: number | null) =>
  ask<TokenMade>('POST', 'tokens', { label, days });
export const revokeToken = (token: string) => send('DELETE', `tokens/${id(token)}`);

export const kits = async () => (await ask<{ kits: Kit[] }>('GET', 'kits')).kits;
export const revokeKit = (kit: string) => send('DELETE', `kits/${id(kit)}`);

// What operators do.
export const people = async () => (await ask<People>('GET', 'accounts')).accounts;
export const changeAccount = (name: string, terms: AccountTerms) => send('PATCH', `accounts/${id(name)}`, terms);
export const makeReset = (name: string) => ask<{ code: string; expires: string }>('POST', `accounts/${id(name)}/reset`);

export const invitations = async () => (await ask<{ invitations: Invitation[] }>('GET', 'invitations')).invitations;
export const invite = (role: Role, days: number) =>
  ask<{ id: string; code: string; expires: string }>('POST', 'invitations', { role, days });
export const withdraw = (invitation: string) => send('DELETE', `invitations/${id(invitation)}`);

export const fleet = (): Promise<Fleet> => ask('GET', 'fleet');
