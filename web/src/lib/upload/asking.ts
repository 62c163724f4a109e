/** Tabs that find each other without locks, by asking: comes only where the browser has no locks to give. */

import type { Tabs } from './tabs';

/** How long a tab has for answering, where another waits for it to begin, and where nothing waits: one that is asleep for longer counts as gone. */
const ANSWER_MS = 2_000;
const ANSWER_LONG_MS = 8_000;

interface Message {
  ask?: string;
  here?: string;
}

/** Tabs that answer for themselves. */
export class Asking implements Tabs {
  readonly #channel = new BroadcastChannel('holdfast.tab');
  readonly #heard = new Map<string, () => void>();
  #own: string | null = null;

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.ask !== undefined && data.ask === this.#own) this.#channel.postMessage({ here: data.ask });
      if (data.here !== undefined) this.#heard.get(data.here)?.();
    };
  }

  async take(tab: string): Promise<boolean> {
    if (await this.#lives(tab, ANSWER_MS)) return false;
    this.#own = tab;
    return true;
  }

  async ifGone(tab: string, work: () => void): Promise<void> {
    if (!(await this.#lives(tab, ANSWER_LONG_MS))) work();
  }

  async #lives(tab: string, ms: number): Promise<boolean> {
    const lives = await new Promise<boolean>((done) => {
      this.#heard.set(tab, () => done(true));
      setTimeout(() => done(false), ms);
      this.#channel.postMessage({ ask: tab });
    });
    this.#heard.delete(tab);
    return lives;
  }
}
