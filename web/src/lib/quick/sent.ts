/** What was sent from this tab without an account. It goes with the tab: the next person at this device is somebody else. */

import { Root } from '../api/files';
import type { QuickPlace } from '../api/quick';

export interface Sent extends QuickPlace {
  name: string;
  size: number;
  done: boolean;
}

const KEY = 'holdfast.quick';

/** The last one that was begun and has not ended. */
export function kept(now = Date.now()): Sent | null {
  try {
    const sent = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Sent | null;
    return sent !== null && Date.parse(sent.expires) > now ? sent : null;
  } catch {
    return null;
  }
}

export function keep(sent: Sent | null): void {
  try {
    if (sent === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(sent));
  } catch {
    // Full or forbidden: it is shown as long as the page is there.
  }
}

/** Where the one file goes: nothing of it can be asked for, it only takes. */
export class QuickBox extends Root {
  constructor(private readonly place: QuickPlace) {
    super();
  }

  /** The service names it from its own top, which may lie below a path. */
  override get uploads(): string {
    return new URL(this.place.upload.replace(/^\//, ''), document.baseURI).href;
  }

  /** What is noted of its unfinished upload stands beside those of accounts; no account has a slash in its name. */
  get key(): string {
    return `q/${this.place.code}`;
  }
}
