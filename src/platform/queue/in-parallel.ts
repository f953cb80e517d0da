/** Enough to hide the delay of a storage, few enough that requests are served in between. */
const AT_ONCE = 8;

/**
 * Works on several items at once.
 * @throws the first error, after all started work has ended; later items are not started
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const item of items) {
    const each = work(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(each));
    running.add(each);
    if (running.size === AT_ONCE) await Promise.race(running);
    if (failures.length > 0) break;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
