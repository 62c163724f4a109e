import type { Root } from '../api/files';
import { Problem } from '../api/http';
import { join } from '../path';

/**
 * `waiting` for its turn, `sending`, `paused` by hand, `done`, `failed` until retried, `stopped` for good; `lost` its
 * file when the page was closed, and needs it again.
 */
export type ItemState = 'waiting' | 'sending' | 'paused' | 'done' | 'failed' | 'stopped' | 'lost';

let last = 0;

/** One file on its way. */
export class UploadItem {
  readonly id = (last += 1);
  state: ItemState = $state('waiting');
  sent = $state(0);
  /** Why it failed: a refusal, or that the file cannot be read any more. */
  problem: Problem | 'unreadable' | null = $state.raw(null);
  /** Where the service keeps what has arrived. */
  url: string | null = null;
  /** Refusals that may pass, one after the other. */
  refusals = 0;

  constructor(
    readonly root: Root,
    readonly path: readonly string[],
    readonly size: number,
    readonly modified: number,
    public file: File | null,
  ) {}

  /** The same for the same place, whichever file goes there. */
  get place(): string {
    return placeOf(this.root, this.path);
  }

  /** Whether it goes into somebody else's tree. */
  get isForOther(): boolean {
    return this.root.shared !== null;
  }

  get name(): string {
    return this.path.at(-1) ?? '';
  }

  /** Whether this is the file that the item was begun with, as far as a browser can tell. */
  isOf(file: File): boolean {
    return file.size === this.size && file.lastModified === this.modified;
  }
}

/** Whether there was no space for it. */
export function isQuota(problem: UploadItem['problem']): boolean {
  return problem instanceof Problem && problem.code === 'quota';
}

export function placeOf(root: Root, path: readonly string[]): string {
  return `${root.shared ?? ''}:${join(path)}`;
}
