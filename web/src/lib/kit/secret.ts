/**
 * The secret of a kit: an X25519 identity as age writes it.
 *
 * Source: age v1 specification, "The X25519 recipient type". The curve is computed here and not by the browser, which
 * offers it over HTTPS alone; the randomness is the browser's, which it offers everywhere.
 */

import { x25519 } from '@noble/curves/ed25519.js';
import { bech32 } from '@scure/base';

const SECRET = 'age-secret-key-';
const RECIPIENT = 'age';
const SECRET_BYTES = 32;

/** A new identity, `AGE-SECRET-KEY-1…`. */
export function newIdentity(): string {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const identity = bech32.encode(SECRET, bech32.toWords(secret)).toUpperCase();
  secret.fill(0);
  return identity;
}

/** The public half of an identity, `age1…`; null if the text is no identity. */
export function recipientOf(identity: string): string | null {
  const decoded = bech32.decodeUnsafe(identity);
  if (decoded === undefined || decoded.prefix !== SECRET) return null;
  const secret = bech32.fromWordsUnsafe(decoded.words);
  if (!secret || secret.length !== SECRET_BYTES) return null;
  const recipient = bech32.encode(RECIPIENT, bech32.toWords(x25519.getPublicKey(new Uint8Array(secret))));
  secret.fill(0);
  return recipient;
}
