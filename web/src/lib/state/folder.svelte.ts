import type { Lister } from '../api/files';
import type { Entry } from '../api/types';
import { comparing, type Sort } from '../sort';

/** A folder as far as it is loaded: pages come one after another, in the service's order. */
export class Folder {
  path: readonly string[] = $state.raw([]);
  sort: Sort = $state('name');
  entries: readonly Entry[] = $state.raw([]);
  /** So from the beginning: a list that is drawn before its folder is opened must not ask for another one. */
  loading = $state(true);
  problem: unknown = $state.raw(null);
  /** Whether the last page has come. */
  complete = $state(false);

  #next: string | null = null;
  #stop = new AbortController();

  constructor(private readonly list: Lister) {}

  open(path: readonly string[], sort: Sort = 'name'): Promise<void> {
    this.path = path;
    this.sort = sort;
    this.entries = [];
    return this.#start();
  }

  /** Reads again what was read, and shows the old entries until then. */
  async refresh(): Promise<void> {
    const wanted = this.entries.length;
    const stop = this.#restart();
    try {
      const fresh: Entry[] = [];
      let next: string | null = null;
      do {
        const page = await this.list(this.path, next, stop.signal, this.sort);
        fresh.push(...page.entries);
        next = page.next;
      } while (next !== null && fresh.length < wanted);
      this.entries = fresh;
      this.#end(next);
    } catch (error) {
      this.#fail(error, stop);
    }
  }

  /** Loads the next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    if (this.loading || this.complete || this.problem !== null) return;
    await this.#page(this.#stop);
  }

  retry(): Promise<void> {
    this.problem = null;
    return this.entries.length === 0 ? this.#start() : this.more();
  }

  has(name: string): boolean {
    return this.entries.some((entry) => entry.name === name);
  }

  remove(names: ReadonlySet<string>): void {
    this.entries = this.entries.filter((entry) => !names.has(entry.name));
  }

  /** Puts entries where the service would list them; one behind what is loaded comes with its page. */
  put(added: readonly Entry[]): void {
    const names = new Set(added.map((entry) => entry.name));
    const last = this.entries.at(-1);
    const compare = comparing(this.sort);
    const near = added.filter((entry) => this.complete || (last !== undefined && compare(entry, last) < 0));
    const kept = this.entries.filter((entry) => !names.has(entry.name));
    this.entries = [...kept, ...near].sort(compare);
  }

  async #start(): Promise<void> {
    await this.#page(this.#restart());
  }

  #restart(): AbortController {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#next = null;
    this.complete = false;
    this.problem = null;
    this.loading = true;
    return this.#stop;
  }

  async #page(stop: AbortController): Promise<void> {
    this.loading = true;
    try {
      const page = await this.list(this.path, this.#next, stop.signal, this.sort);
      this.entries = this.entries.concat(page.entries);
      this.#end(page.next);
    } catch (error) {
      this.#fail(error, stop);
    }
  }

  #end(next: string | null): void {
    this.#next = next;
    this.complete = next === null;
    this.loading = false;
  }

  #fail(error: unknown, stop: AbortController): void {
    // What was left for another folder has nothing to say.
    if (stop.signal.aborted) return;
    this.problem = error;
    this.loading = false;
  }
}
