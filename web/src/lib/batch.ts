/** Requests under way at once for one piece of work. */
const PARALLEL = 4;

export interface Batch<T> {
  done: T[];
  /** What stayed as it was, with the first reason. */
  failed: T[];
  problem: unknown;
  /** What was left out because somebody said so. */
  skipped: T[];
}

/** Does the same to many things, a few at once, and goes on past those that fail. */
export async function each<T>(
  items: readonly T[],
  /** Answers `false` for what was left out. */
  work: (item: T) => Promise<false | void>,
  progress: (done: number) => void = () => undefined,
): Promise<Batch<T>> {
  const batch: Batch<T> = { done: [], failed: [], problem: null, skipped: [] };
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      try {
        const left = (await work(item)) === false;
        (left ? batch.skipped : batch.done).push(item);
      } catch (error) {
        batch.failed.push(item);
        batch.problem ??= error;
      }
      progress(batch.done.length + batch.failed.length + batch.skipped.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return batch;
}
