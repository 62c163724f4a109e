/** How long a toast stays; one with something to press stays longer. */
const STAY_MS = 5_000;
const STAY_ACTION_MS = 12_000;
const SHOWN_MAX = 4;

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

/** Short messages at the edge, which are read aloud as well. */
class Toasts {
  list: Toast[] = $state.raw([]);
  #next = 0;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  say(text: string, { bad = false, action }: { bad?: boolean; action?: Toast['action'] } = {}): number {
    this.#next += 1;
    const toast: Toast = { id: this.#next, text, bad, ...(action === undefined ? {} : { action }) };
    this.list = [...this.list, toast].slice(-SHOWN_MAX);
    this.hold(toast.id, false);
    return toast.id;
  }

  /** Changes the words of a toast, for work that counts; a new one is made if it has gone. */
  update(id: number, text: string): number {
    if (!this.list.some((toast) => toast.id === id)) return this.say(text);
    this.list = this.list.map((toast) => (toast.id === id ? { ...toast, text } : toast));
    this.hold(id, false);
    return id;
  }

  drop(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** Keeps a toast while it is pointed at or has the focus. */
  hold(id: number, held: boolean): void {
    clearTimeout(this.#timers.get(id));
    const toast = this.list.find((candidate) => candidate.id === id);
    if (held || toast === undefined) return;
    this.#timers.set(
      id,
      setTimeout(() => this.drop(id), toast.action ? STAY_ACTION_MS : STAY_MS),
    );
  }
}

export const toasts = new Toasts();
