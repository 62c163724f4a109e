/**
 * Keeps the browser's *Back* from taking something away unasked: while it is held, *Back* stays in the page and calls
 * `asked`. For that a step is laid into the history that leads to the same address; letting go takes it out again.
 */
export class HeldBack {
  #laid = false;

  constructor(private readonly asked: () => void) {}

  hold(): void {
    if (this.#laid) return;
    history.pushState(history.state, '');
    addEventListener('popstate', this.#back);
    this.#laid = true;
  }

  letGo(): void {
    removeEventListener('popstate', this.#back);
    if (this.#laid) history.back();
    this.#laid = false;
  }

  /** The step was gone back over; it has to be laid again for the next time. */
  readonly #back = () => {
    this.#laid = false;
    removeEventListener('popstate', this.#back);
    this.asked();
  };
}
