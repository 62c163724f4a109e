import * as accounts from '../api/session';
import { onSignedOut, Problem } from '../api/http';
import type { Account } from '../api/types';

/** Who is signed in. `undefined` until it is known. */
class Session {
  account: Account | null | undefined = $state.raw(undefined);
  /** Why it is not known. */
  problem: unknown = $state.raw(null);
  operator = $derived(this.account?.role === 'operator');

  #first: Promise<void> | undefined;

  constructor() {
    onSignedOut(() => (this.account = null));
  }

  /** Asks for the first time: the page does so before it shows anything, whatever then shows it does not ask twice. */
  begin(): Promise<void> {
    return (this.#first ??= this.refresh());
  }

  /** Asks the service who this is; also the way to fresh figures of used space. */
  async refresh(): Promise<void> {
    try {
      this.account = await accounts.current();
      this.problem = null;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.account = null;
      else if (this.account === undefined) this.problem = error;
    }
  }

  enter(account: Account): void {
    this.account = account;
  }

  async leave(): Promise<void> {
    await accounts.signOut();
    this.account = null;
  }
}

export const session = new Session();
