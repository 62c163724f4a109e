/** Signing in by a passkey: comes when it is asked for, or once the sign-in view stands. */
import { askPasskey, enterByPasskey } from '../api/passkeys';
import type { Account } from '../api/types';
import { choose, offersQuietly } from './ceremony';

/** Has the browser ask for a passkey, and signs in by it. */
export async function enter(signal?: AbortSignal): Promise<Account> {
  return ask(signal === undefined ? {} : { signal });
}

/** Offers passkeys where the name is typed, until `signal`; none where the browser cannot. */
export async function offer(signal: AbortSignal): Promise<Account | null> {
  return (await offersQuietly()) ? ask({ signal, quiet: true }) : null;
}

async function ask(how: { signal?: AbortSignal; quiet?: boolean }): Promise<Account> {
  const { challenge, options } = await askPasskey();
  return enterByPasskey(challenge, await choose(options.publicKey, how));
}
