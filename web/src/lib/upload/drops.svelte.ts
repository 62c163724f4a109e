import type { Entry } from '../api/types';
import type { Browser } from '../state/browser.svelte';
import { takeTransfer } from './take';

/** Type of what is dragged within the page. */
const OURS = 'application/x-holdfast';

/** Drags over the window: files from outside go anywhere, our own entries into folders that are shown. */
export class Drops {
  /** Whether something is dragged that would be taken here. */
  active = $state(false);
  /** Name of the folder under the pointer. */
  target: string | null = $state(null);
  #dragged: readonly Entry[] = [];

  constructor(private readonly browser: Browser) {}

  readonly begin = (event: DragEvent, index: number): void => {
    const { selection, folder } = this.browser;
    const entry = folder.entries[index];
    if (entry === undefined || event.dataTransfer === null) return;
    if (!selection.names.has(entry.name)) selection.only(index);
    this.#dragged = selection.chosen;
    event.dataTransfer.setData(OURS, '');
    event.dataTransfer.effectAllowed = 'move';
  };

  readonly over = (event: DragEvent): void => {
    const transfer = event.dataTransfer;
    if (transfer === null || !this.browser.mayChange) return;
    const ours = transfer.types.includes(OURS);
    if (!ours && !transfer.types.includes('Files')) return;
    event.preventDefault();
    const folder = folderAt(event);
    const fits = folder !== null && !(ours && this.#dragged.some((entry) => entry.name === folder));
    this.target = fits ? folder : null;
    this.active = !ours || fits;
    transfer.dropEffect = !this.active ? 'none' : ours ? 'move' : 'copy';
  };

  /** Leaving an element for another within the window is no end. */
  readonly leave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.#end();
  };

  readonly drop = (event: DragEvent): void => {
    event.preventDefault();
    const transfer = event.dataTransfer;
    const { folder, root } = this.browser;
    const to = this.target === null ? folder.path : [...folder.path, this.target];
    const active = this.active;
    this.#end();
    if (transfer === null || !active) return;
    if (transfer.types.includes(OURS)) void this.browser.transfer('move', this.#dragged, to);
    else void takeTransfer(transfer, root, to);
  };

  #end(): void {
    this.active = false;
    this.target = null;
  }
}

function folderAt(event: DragEvent): string | null {
  const row = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-folder]') : null;
  return row?.dataset['folder'] ?? null;
}
