import * as api from '../api/reports';
import type { Report } from '../api/types';

/** How often an operator's page asks whether something was reported. */
const AGAIN_MS = 5 * 60_000;

/** What guests reported, for operators: the list, and how much of it is open. */
class Reports {
  list: readonly Report[] | null = $state.raw(null);
  problem: unknown = $state.raw(null);
  open = $derived(this.list?.filter(({ settled }) => settled === null).length ?? 0);

  constructor() {
    void this.load();
    setInterval(() => {
      // A page that nobody looks at asks when it is looked at again.
      if (!document.hidden) void this.load();
    }, AGAIN_MS);
  }

  readonly load = async (): Promise<void> => {
    try {
      this.list = await api.reports();
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  };

  /** Does something to a report or its link, and reads the list again; says whether it worked. */
  async after(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      this.problem = error;
      return false;
    }
    await this.load();
    return true;
  }
}

export const reports = new Reports();
