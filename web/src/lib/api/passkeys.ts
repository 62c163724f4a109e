import { ask, send } from './http';
import { account } from './session';
import type { Challenge, Passkey, Passkeys } from './schema';

export type { Passkey } from './schema';

/** What WebAuthn's JSON says of a question; extensions, which hold bytes in places of their own, are not used. */
export type CreationOptions = Omit<PublicKeyCredentialCreationOptionsJSON, 'extensions'>;
export type RequestOptions = Omit<PublicKeyCredentialRequestOptionsJSON, 'extensions'>;

/** What a browser is asked, in the form of WebAuthn's JSON; the service knows its question again by `challenge`. */
export type Question<Options> = Omit<Challenge, 'options'> & { options: { publicKey: Options } };

const one = (id: string) => `passkeys/${encodeURIComponent(id)}`;

export const passkeys = async () => (await ask<Passkeys>('GET', 'passkeys')).passkeys;
export const askNewPasskey = (password: string, second?: string) =>
  ask<Question<CreationOptions>>('POST', 'passkeys/challenge', { password, second });
export const addPasskey = (challenge: string, label: string, credential: unknown) =>
  ask<Passkey>('POST', 'passkeys', { challenge, label, credential });
export const renamePasskey = (id: string, label: string) => send('PATCH', one(id), { label });
export const removePasskey = (id: string) => send('DELETE', one(id));

// Signing in by one: no name is asked for, the passkey says it.
export const askPasskey = () =>
  ask<Question<RequestOptions>>('POST', 'session/passkey/challenge', {});
export const enterByPasskey = (challenge: string, credential: unknown) =>
  account(ask('POST', 'session/passkey', { challenge, credential }));
