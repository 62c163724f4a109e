/** Over how long the speed is averaged: long enough to be calm, short enough to follow a change of network. */
const MEMORY_S = 8;

/** Bytes a second, smoothed; told of totals, not of steps. */
export class Rate {
  #bytes = 0;
  #at: number | null = null;
  #mean = 0;
  #weight = 0;

  /** Notes how many bytes went in all at a time in milliseconds. */
  note(bytes: number, now: number): void {
    if (this.#at !== null && now > this.#at) {
      const seconds = (now - this.#at) / 1000;
      const keep = Math.exp(-seconds / MEMORY_S);
      this.#mean = keep * this.#mean + ((1 - keep) * Math.max(0, bytes - this.#bytes)) / seconds;
      this.#weight = keep * this.#weight + (1 - keep);
    }
    this.#bytes = bytes;
    this.#at = now;
  }

  /** Bytes a second; the weight keeps the first seconds from looking slow. */
  get value(): number {
    return this.#weight === 0 ? 0 : this.#mean / this.#weight;
  }
}
