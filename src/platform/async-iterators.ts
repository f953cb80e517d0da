/** The longest that a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The same items, until a moment: then one last item, and the end. By hand, like `followDumps`: a generator that was
 * never started would not pass `return` on.
 *
 * @param remainingMs asked before each item as well, so that nothing slips through a timer that is late
 */
export function endsAt<Item>(
  items: AsyncIterable<Item>,
  { remainingMs, last }: { remainingMs: () => number; last: Item },
): AsyncIterableIterator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  let isOver = false;
  /** Ends whoever waits for the next item now. */
  let wake = () => {};
  let timer = setTimeout(check, timerMs());

  return {
    async next() {
      if (isOver) return { done: true, value: undefined };
      // Not a race with one promise for all: that would remember every item until the end.
      const result = await new Promise<IteratorResult<Item> | null>((resolve, reject) => {
        wake = () => resolve(null);
        if (remainingMs() <= 0) resolve(null);
        else iterator.next().then(resolve, reject);
      });
      if (isOver) return { done: true, value: undefined };
      if (result !== null && result.done !== true && remainingMs() > 0) return result;
      const hasEndedByItself = result?.done === true;
      void close();
      return hasEndedByItself ? { done: true, value: undefined } : { done: false, value: last };
    },
    async return() {
      await close();
      wake();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };

  async function close(): Promise<void> {
    isOver = true;
    clearTimeout(timer);
    await iterator.return?.();
  }

  function check(): void {
    if (remainingMs() <= 0) wake();
    else timer = setTimeout(check, timerMs());
  }

  function timerMs(): number {
    return Math.min(Math.max(remainingMs(), 1), MAX_TIMER_MS);
  }
}
