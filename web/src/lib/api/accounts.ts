import { ask, send } from './http';
import type { Mailed } from './mail';
import type { Code, Leaving, People, Sessions, TokenMade, TokenScope, Tokens } from './schema';
import { account } from './session';
import type { AccountTerms, Fleet, Invitation, Role, Trend, WhatIf } from './types';

const id = encodeURIComponent;

// The own account.
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
export const makeToken = (label: string, scope: TokenScope, days: number | null) =>
  ask<TokenMade>('POST', 'tokens', { label, scope, days });
export const revokeToken = (token: string) => send('DELETE', `tokens/${id(token)}`);

// What operators do.
export const people = async () => (await ask<People>('GET', 'accounts')).accounts;
export const changeAccount = (name: string, terms: AccountTerms) => send('PATCH', `accounts/${id(name)}`, terms);
export const makeReset = (name: string) => ask<Code>('POST', `accounts/${id(name)}/reset`);

export const invitations = async () => (await ask<{ invitations: Invitation[] }>('GET', 'invitations')).invitations;
/** `mail`: where a mail is to bring it. */
export const invite = (role: Role, days: number, mail?: string) =>
  ask<{ id: string; code: string; expires: string } & Mailed>('POST', 'invitations', { role, days, mail });
export const withdraw = (invitation: string) => send('DELETE', `invitations/${id(invitation)}`);

export const fleet = (): Promise<Fleet> => ask('GET', 'fleet');
/** What would be left without all of these. */
export const whatIf = (providers: readonly string[]): Promise<WhatIf> =>
  ask('GET', `fleet/what-if?${providers.map((name) => `provider=${id(name)}`).join('&')}`);
export const trend = (since: Date): Promise<Trend> => ask('GET', `fleet/trend?since=${id(since.toISOString())}`);
