import * as api from '../api/notices';
import type { Notice } from '../api/types';
import { isOpen, waits } from '../fleet-notices';

/** How often an operator's page asks whether a notice came. */
const AGAIN_MS = 60_000;

/** Notices that need a person or are in force, for operators; and how many of them nobody took note of. */
class Notices {
  list: readonly Notice[] | null = $state.raw(null);
  problem: unknown = $state.raw(null);
  waiting = $derived(this.list?.filter(waits).length ?? 0);

  constructor() {
    void this.load();
    setInterval(() => {
      // A page that nobody looks at asks when it is looked at again.
      if (!document.hidden) void this.load();
    }, AGAIN_MS);
  }

  /** How many of a firm's, or of all, somebody is to do something about. */
  open(firm?: string): number {
    const own = (notice: Notice) => isOpen(notice) && (firm === undefined || notice.provider === firm);
    return this.list?.filter(own).length ?? 0;
  }

  readonly load = async (): Promise<void> => {
    try {
      this.list = await api.notices(true);
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  };
}

export const notices = new Notices();
