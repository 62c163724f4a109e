import { trashed } from '../api/files';
import type { Trashed } from '../api/types';

/** What was thrown away, as far as it is loaded. */
export class TrashList {
  entries: readonly Trashed[] = $state.raw([]);
  complete = $state(false);
  problem: unknown = $state.raw(null);
  #next: string | null = null;
  #loading = false;

  async more(): Promise<void> {
    if (this.#loading || this.complete || this.problem !== null) return;
    this.#loading = true;
    try {
      const page = await trashed(this.#next);
      this.entries = this.entries.concat(page.entries);
      this.#next = page.next;
      this.complete = page.next === null;
    } catch (error) {
      this.problem = error;
    }
    this.#loading = false;
  }

  retry(): Promise<void> {
    this.problem = null;
    return this.more();
  }

  remove(gone: Trashed): void {
    this.entries = this.entries.filter((entry) => entry !== gone);
  }
}
