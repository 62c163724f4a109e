import type { Service } from '../api/types';
import { face } from './face.svelte';
import { toasts } from './toasts.svelte';

/** A part of what an operator says of the service, on its way. */
export class Saving {
  busy = $state(false);
  problem: unknown = $state.raw(null);

  /** Sends it, shows the whole page what the service says now, and tells so. */
  async run(work: () => Promise<Service | void>, words: string): Promise<void> {
    this.busy = true;
    this.problem = null;
    try {
      const said = await work();
      if (said) await face.take(said);
      else await face.refresh();
      toasts.say(words);
    } catch (error) {
      this.problem = error;
    }
    this.busy = false;
  }
}
