const KEY = 'holdfast.started';

/**
 * When each zip was clicked: taking many home goes on over reloads and other views. It is kept in this tab alone, and for
 * the account alone that clicked: others at this device must not read from it what somebody's folders are called.
 */
export class Started {
  #times: ReadonlyMap<string, number> = $state.raw(new Map());

  constructor(private readonly account: string) {
    this.#times = new Map(this.#kept());
  }

  /** When it was last clicked, in milliseconds; none if never. */
  at(address: string): number | undefined {
    return this.#times.get(address);
  }

  mark(address: string): void {
    this.#times = new Map(this.#times).set(address, Date.now());
    try {
      sessionStorage.setItem(KEY, JSON.stringify([this.account, [...this.#times]]));
    } catch {
      // Full or forbidden: the marks stay as long as the view.
    }
  }

  #kept(): [string, number][] {
    try {
      const [account, times] = JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as [string?, [string, number][]?];
      return account === this.account && times !== undefined ? times : [];
    } catch {
      return [];
    }
  }
}
