import type { Root } from '../api/files';
import type { Entry } from '../api/types';

export interface Clip {
  action: 'move' | 'copy';
  root: Root;
  folder: readonly string[];
  entries: readonly Entry[];
}

/** What was cut or copied in this page. */
class Clipboard {
  held: Clip | null = $state.raw(null);

  /** Whether an entry is shown as cut. */
  isCut(root: Root, folder: readonly string[], name: string): boolean {
    const held = this.held;
    if (held?.action !== 'move' || held.root.shared !== root.shared || held.folder.join('/') !== folder.join('/')) return false;
    return held.entries.some((entry) => entry.name === name);
  }
}

export const clip = new Clipboard();
