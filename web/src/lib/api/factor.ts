import { ask, send } from './http';
import type { Codes, SecondFactorOn, SecondFactorProposal, SecondFactorShown } from './schema';

// The second factor of the own account. Nothing is kept of a proposal until six digits show that the app has it.
export const proposeFactor = () => ask<SecondFactorProposal>('POST', 'session/second-factor', {});
export const turnFactorOn = async (password: string, secret: string, second: string) =>
  (await ask<Codes>('PUT', 'session/second-factor', { password, secret, second } satisfies SecondFactorOn)).codes;
export const newCodes = async (password: string, second: string) =>
  (await ask<Codes>('POST', 'session/second-factor/codes', { password, second } satisfies SecondFactorShown)).codes;
export const turnFactorOff = (password: string, second: string) =>
  send('DELETE', 'session/second-factor', { password, second });

/** What an operator does for somebody who lost phone and codes. */
export const removeFactor = (name: string) => send('DELETE', `accounts/${encodeURIComponent(name)}/second-factor`);
