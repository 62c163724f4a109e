/**
 * What a browser is asked about passkeys, and what it answers, between the JSON of WebAuthn and the bytes that browsers
 * want. Newer browsers can do this themselves; older ones, and password stores that stand in for them, cannot.
 */

import type { CreationOptions, RequestOptions } from '../api/passkeys';

/** The browser did not answer the question; `why` is what it calls the reason. */
export class NoPasskey extends Error {
  constructor(readonly why: 'refused' | 'known' | 'unfit' | 'stopped') {
    super(`no passkey: ${why}`);
    this.name = 'NoPasskey';
  }
}

/** Makes a passkey. */
export async function make(options: CreationOptions): Promise<unknown> {
  const { challenge, user, excludeCredentials = [], ...rest } = options;
  const publicKey = {
    ...rest,
    challenge: bytes(challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: excludeCredentials.map(descriptor),
  } as PublicKeyCredentialCreationOptions;
  const credential = await answer(navigator.credentials.create({ publicKey }));
  const response = credential.response as AuthenticatorAttestationResponse;
  return json(credential, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  });
}

/** Has the reader choose one; `quiet` offers them where the name is typed, and asks nothing aloud. */
export async function choose(
  options: RequestOptions,
  { signal, quiet = false }: { signal?: AbortSignal; quiet?: boolean } = {},
): Promise<unknown> {
  const { challenge, allowCredentials = [], ...rest } = options;
  const publicKey = {
    ...rest,
    challenge: bytes(challenge),
    allowCredentials: allowCredentials.map(descriptor),
  } as PublicKeyCredentialRequestOptions;
  const asked: CredentialRequestOptions = { publicKey };
  if (signal !== undefined) asked.signal = signal;
  if (quiet) asked.mediation = 'conditional';
  const credential = await answer(navigator.credentials.get(asked));
  const response = credential.response as AuthenticatorAssertionResponse;
  return json(credential, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: response.userHandle === null ? undefined : text(response.userHandle),
  });
}

/** Whether this browser offers passkeys where a name is typed. */
export async function offersQuietly(): Promise<boolean> {
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false;
}

async function answer(asking: Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await asking;
    if (credential === null) throw new NoPasskey('refused');
    return credential as PublicKeyCredential;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === 'AbortError') throw new NoPasskey('stopped');
    if (error.name === 'InvalidStateError') throw new NoPasskey('known');
    // Cancelled, or nobody answered in time: browsers do not tell which, so that pages learn nothing of people.
    throw new NoPasskey(error.name === 'NotAllowedError' ? 'refused' : 'unfit');
  }
}

function json(credential: PublicKeyCredential, response: Record<string, unknown>): unknown {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    ...(credential.authenticatorAttachment ? { authenticatorAttachment: credential.authenticatorAttachment } : {}),
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

function descriptor({ id, ...rest }: PublicKeyCredentialDescriptorJSON): PublicKeyCredentialDescriptor {
  return { ...rest, id: bytes(id) } as PublicKeyCredentialDescriptor;
}

/** Base64 as WebAuthn has it: for addresses, without padding. */
function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

function text(bytes: ArrayBuffer): string {
  const letters = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
