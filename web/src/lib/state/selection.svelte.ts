import type { Entry } from '../api/types';

/** Which entries of a list are selected, and which one the keys move. Names stay right when pages come. */
export class Selection {
  names: ReadonlySet<string> = $state.raw(new Set<string>());
  /** Index of the entry that the keys move, -1 for none. */
  cursor = $state(-1);
  #anchor = -1;

  constructor(private readonly entries: () => readonly Entry[]) {}

  chosen = $derived.by(() => this.entries().filter((entry) => this.names.has(entry.name)));

  only(index: number): void {
    const entry = this.entries()[index];
    this.names = new Set(entry ? [entry.name] : []);
    this.cursor = this.#anchor = index;
  }

  toggle(index: number): void {
    const name = this.entries()[index]?.name;
    if (name === undefined) return;
    const names = new Set(this.names);
    if (!names.delete(name)) names.add(name);
    this.names = names;
    this.cursor = this.#anchor = index;
  }

  /** From the last entry chosen alone to this one. */
  range(index: number): void {
    if (this.#anchor < 0) this.#anchor = Math.max(0, this.cursor);
    const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)];
    this.names = new Set(
      this.entries()
        .slice(from, to + 1)
        .map((entry) => entry.name),
    );
    this.cursor = index;
  }

  all(): void {
    this.names = new Set(this.entries().map((entry) => entry.name));
  }

  clear(): void {
    this.names = new Set();
    this.#anchor = -1;
  }

  reset(): void {
    this.clear();
    this.cursor = -1;
  }

  /** Moves the cursor to an index, with or without a range behind it. */
  move(index: number, extend: boolean): void {
    const last = this.entries().length - 1;
    const target = Math.max(0, Math.min(last, index));
    if (last < 0) return;
    if (extend) this.range(target);
    else this.only(target);
  }

  /** Selects what was just made or found. */
  name(name: string): void {
    const index = this.entries().findIndex((entry) => entry.name === name);
    if (index >= 0) this.only(index);
  }
}
