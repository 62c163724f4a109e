/** What the pointer and letters do in a list of entries, whether it is laid out as rows or as squares. */

import type { Entry } from './api/types';
import type { Selection } from './state/selection.svelte';

/** Letters typed later than this begin a new name. */
const PAUSE_MS = 900;

interface Steered {
  entries: () => readonly Entry[];
  selection: () => Selection;
  open: (entry: Entry) => void;
  menu: () => ((x: number, y: number) => void) | undefined;
}

export class Steering {
  #typed = '';
  #typedAt = 0;

  constructor(private readonly of: Steered) {}

  /** Does what a key stands for in every layout; returns whether it stands for anything. */
  key(event: KeyboardEvent): boolean {
    const { entries, open } = this.of;
    const selection = this.of.selection();
    const { cursor } = selection;
    const entry = entries()[cursor];
    if (event.key === 'Enter' && entry) open(entry);
    else if (event.key === ' ' && cursor >= 0) selection.toggle(cursor);
    else if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && entry)
      this.#menuAtCursor(event.currentTarget as HTMLElement);
    else if (!event.ctrlKey && !event.metaKey && event.key.length === 1 && !'?/'.includes(event.key))
      this.#find(event.key);
    else return false;
    return true;
  }

  click(event: MouseEvent, index: number): void {
    const { entries, open } = this.of;
    const selection = this.of.selection();
    const entry = entries()[index];
    if (entry === undefined) return;
    const touch = event instanceof PointerEvent && event.pointerType === 'touch';
    if (event.shiftKey) selection.range(index);
    else if (event.ctrlKey || event.metaKey || (touch && selection.names.size > 0)) selection.toggle(index);
    else if (touch) open(entry);
    else selection.only(index);
  }

  context(event: MouseEvent, index: number): void {
    const { entries } = this.of;
    const selection = this.of.selection();
    const menu = this.of.menu();
    if (menu === undefined) return;
    event.preventDefault();
    const name = entries()[index]?.name;
    if (name !== undefined && !selection.names.has(name)) selection.only(index);
    menu(event.clientX, event.clientY);
  }

  /** Goes to the next name that begins with what was typed in a row. */
  #find(letter: string): void {
    const now = performance.now();
    this.#typed = now - this.#typedAt > PAUSE_MS ? letter : this.#typed + letter;
    this.#typedAt = now;
    const wanted = this.#typed.toLowerCase();
    const index = this.of.entries().findIndex((entry) => entry.name.toLowerCase().startsWith(wanted));
    if (index >= 0) this.of.selection().move(index, false);
  }

  #menuAtCursor(grid: HTMLElement): void {
    const { entries } = this.of;
    const selection = this.of.selection();
    const box =
      document.getElementById(`row-${selection.cursor}`)?.getBoundingClientRect() ?? grid.getBoundingClientRect();
    if (!selection.names.has(entries()[selection.cursor]?.name ?? '')) selection.only(selection.cursor);
    this.of.menu()?.(box.left + 60, box.top + 30);
  }
}
