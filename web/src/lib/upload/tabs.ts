/**
 * Which tabs of this browser are there. Each has a name of its own, which it keeps when it is loaded anew, and holds a
 * lock of that name for as long as it lives: the browser lets go of it however the tab ends.
 */

const KEY = 'holdfast.tab';

/** How long a page that is loaded anew waits for the one before it to be gone; a copy of a living tab waits in vain. */
const BEFORE_MS = 1_000;

export interface Tabs {
  /** Lives under this name from now on; `false` if another tab does. */
  take(tab: string): Promise<boolean>;
  /** Does something in place of a tab that is gone, and of no other. */
  ifGone(tab: string, work: () => void): Promise<void>;
}

class Locked implements Tabs {
  constructor(private readonly locks: LockManager) {}

  take(tab: string): Promise<boolean> {
    return new Promise((done) => {
      const held = () => {
        done(true);
        return new Promise<never>(() => undefined);
      };
      this.locks.request(`${KEY}.${tab}`, { signal: AbortSignal.timeout(BEFORE_MS) }, held).catch(() => done(false));
    });
  }

  async ifGone(tab: string, work: () => void): Promise<void> {
    await this.locks.request(`${KEY}.${tab}`, { ifAvailable: true }, (lock) => {
      if (lock !== null) work();
    });
  }
}

let known: Promise<Tabs> | undefined;

/** Browsers have locks only where the page came by TLS or from this machine. Elsewhere tabs ask each other. */
function tabs(): Promise<Tabs> {
  // The types know of no page without locks.
  const locks = navigator.locks as LockManager | undefined;
  known ??= locks === undefined ? import('./asking').then(({ Asking }) => new Asking()) : Promise.resolve(new Locked(locks));
  return known;
}

let own: Promise<string> | undefined;

/** The name of this tab. A copy of a tab is given the other's name by the browser, and takes one of its own. */
export function ownTab(): Promise<string> {
  return (own ??= begin());
}

export async function ifGone(tab: string, work: () => void): Promise<void> {
  await (await tabs()).ifGone(tab, work);
}

async function begin(): Promise<string> {
  const all = await tabs();
  const before = remembered();
  if (before !== null && (await all.take(before))) return before;
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16)).join('');
  await all.take(fresh);
  try {
    sessionStorage.setItem(KEY, fresh);
  } catch {
    // Forbidden: loaded anew, it is another tab, and takes up what this one leaves.
  }
  return fresh;
}

function remembered(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
