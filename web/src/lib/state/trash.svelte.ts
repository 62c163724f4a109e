import { trashed } from '../api/files';
import type { Trashed } from '../api/types';

/** What was thrown away, as far as it is loaded. */
export class TrashList {
  entries: readonly Trashed[] = $state.raw([]);
  complete = $state(false);
  problem: unknown = $state.raw(null);
  /** The newest of each place: a path in a request means that one, and the list has the oldest first. */
  readonly #newest = $derived(new Map(this.entries.map((entry) => [entry.path, entry])));
  #next: string | null = null;
  #loading: Promise<void> | null = null;
  #stop = new AbortController();

  more(): Promise<void> {
    if (this.complete || this.problem !== null) return Promise.resolve();
    return (this.#loading ??= this.#page(this.#stop.signal));
  }

  /** Whether a request for the place of `entry` means it, as far as the list is loaded. */
  newest(entry: Trashed): boolean {
    return this.#newest.get(entry.path) === entry;
  }

  /** The same for certain: what is not loaded yet is newer. False too if it cannot be known. */
  async surelyNewest(entry: Trashed): Promise<boolean> {
    while (!this.complete && this.problem === null) await this.more();
    return this.complete && this.newest(entry);
  }

  /** Reads it all again; what is still on its way is of before, and is dropped. */
  again(): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#loading = null;
    this.#next = null;
    this.entries = [];
    this.complete = false;
    return this.retry();
  }

  async #page(stop: AbortSignal): Promise<void> {
    try {
      const page = await trashed(this.#next, stop);
      this.entries = this.entries.concat(page.entries);
      this.#next = page.next;
      this.complete = page.next === null;
    } catch (error) {
      if (stop.aborted) return;
      this.problem = error;
    }
    this.#loading = null;
  }

  retry(): Promise<void> {
    this.problem = null;
    return this.more();
  }

  remove(gone: Trashed): void {
    this.entries = this.entries.filter((entry) => entry !== gone);
  }
}
