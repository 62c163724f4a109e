/** Something that is asked for once, and again when it may have changed. */
export class Loaded<T> {
  value: T | null = $state.raw(null);
  problem: unknown = $state.raw(null);

  constructor(private readonly ask: () => Promise<T>) {
    void this.load();
  }

  readonly load = async (): Promise<void> => {
    try {
      this.value = await this.ask();
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  };

  /** Does something that changes the value, and asks for it again. */
  async after(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.problem = error;
      return;
    }
    await this.load();
  }
}
