import { tick } from 'svelte';
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
  readonly #tabs = new BroadcastChannel('holdfast.session');

  constructor() {
    onSignedOut(() => (this.account = null));
    this.#tabs.onmessage = () => void this.#follow();
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
    this.#tabs.postMessage('');
  }

  async leave(): Promise<void> {
    await accounts.signOut();
    this.account = null;
    this.#tabs.postMessage('');
  }

  /** Tabs have one session: who comes or goes in another, does so here, before anything is done in the wrong name. */
  async #follow(): Promise<void> {
    if (this.account === undefined) return;
    try {
      const now = await accounts.current();
      if (now.name !== this.account?.name) {
        // Nothing of the one stays on the page of the other.
        this.account = null;
        await tick();
      }
      this.account = now;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.account = null;
    }
  }
}

export const session = new Session();
