import { search } from '../api/search';
import type { Found } from '../api/types';
import { isEmpty, type Seek } from '../seek';

/** Finds that fill a page; then the reader decides whether to go on. */
const PAGE = 100;

/** A search as far as it has come. It asks step by step, for a step may look at many names and find none. */
export class Seeking {
  entries: readonly Found[] = $state.raw([]);
  /** Names looked at so far. */
  looked = $state(0);
  loading = $state(false);
  /** Whether every name was looked at. */
  complete = $state(false);
  problem: unknown = $state.raw(null);
  /** Whether anything was asked for. */
  begun = $state(false);
  /** Whether it waits for the reader, on a full page or because they stopped it. */
  waiting = $derived(this.begun && !this.loading && !this.complete && this.problem === null);

  #seek: Seek = { q: '' };
  #next: string | null = null;
  #stop = new AbortController();

  /** Begins anew; what the earlier search still asks for is dropped. */
  begin(seek: Seek): void {
    this.stop();
    this.#seek = seek;
    this.#next = null;
    this.entries = [];
    this.looked = 0;
    this.complete = false;
    this.problem = null;
    this.begun = !isEmpty(seek);
    if (this.begun) void this.more();
  }

  /** Goes on until a page more is full or everything was looked at. */
  async more(): Promise<void> {
    if (this.loading || this.complete || !this.begun || this.problem !== null) return;
    const stop = (this.#stop = new AbortController());
    const wanted = this.entries.length + PAGE;
    this.loading = true;
    try {
      do {
        const page = await search(this.#seek, this.#next, wanted - this.entries.length, stop.signal);
        if (stop.signal.aborted) return;
        this.entries = this.entries.concat(page.entries);
        this.looked += page.looked_at;
        this.#next = page.next;
        this.complete = page.next === null;
      } while (!this.complete && this.entries.length < wanted);
    } catch (error) {
      if (stop.signal.aborted) return;
      this.problem = error;
    }
    this.loading = false;
  }

  retry(): Promise<void> {
    this.problem = null;
    return this.more();
  }

  /** Stops asking. What was found stays, and `more` goes on from here. */
  stop(): void {
    this.#stop.abort();
    this.loading = false;
  }
}
