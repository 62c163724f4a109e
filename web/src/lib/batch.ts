/** Requests under way at once for one piece of work. */
const PARALLEL = 4;

export interface Batch<T> {
  done: T[];
  /** What stayed as it was, with the first reason. */
  failed: T[];
  problem: unknown;
}

/** Does the same to many things, a few at once, and goes on past those that fail. */
export async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  progress: (done: number) => void = () => undefined,
): Promise<Batch<T>> {
  const batch: Batch<T> = { done: [], failed: [], problem: null };
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      try {
        await work(item);
        batch.done.push(item);
      } catch (error) {
        batch.failed.push(item);
        batch.problem ??= error;
      }
      progress(batch.done.length + batch.failed.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return batch;
}
