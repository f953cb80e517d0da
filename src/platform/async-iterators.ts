/** The longest delay of a Node timer, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * An iterator without a generator, for resources that must be released even if the first item was never requested: a
 * generator that was never started does not run its `finally`.
 *
 * @param end called by each `return`
 */
export function iteratorOf<Item>({
  next,
  end,
}: {
  next: () => Promise<IteratorResult<Item>>;
  end: () => Promise<unknown>;
}): AsyncIterableIterator<Item> {
  return {
    next,
    async return() {
      await end();
      return ended();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The result after the last item. */
export function ended(): IteratorReturnResult<undefined> {
  return { done: true, value: undefined };
}

export function startingWith<Item>(
  first: Item,
  rest: AsyncIterableIterator<Item>,
): AsyncIterableIterator<Item> {
  let isFirst = true;
  return iteratorOf({
    async next() {
      if (!isFirst) return rest.next();
      isFirst = false;
      return { done: false, value: first };
    },
    async end() {
      isFirst = false;
      await rest.return?.();
    },
  });
}

/** Yields the same items, but requests each through `around`: in a context, or with handling of its errors. */
export function nextAround<Item>(
  items: AsyncIterable<Item>,
  around: (next: () => Promise<IteratorResult<Item>>) => Promise<IteratorResult<Item>>,
): AsyncIterableIterator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  return iteratorOf({
    next: () => around(() => iterator.next()),
    end: async () => iterator.return?.(),
  });
}

/** Yields the result of `read` for each event; null results are skipped. */
export function readEach<Event, Item>(
  events: AsyncIterable<Event>,
  read: (event: Event) => Promise<Item | null>,
): AsyncIterableIterator<Item> {
  const iterator = events[Symbol.asyncIterator]();
  return iteratorOf({
    async next() {
      for (;;) {
        const { done, value } = await iterator.next();
        if (done === true) return ended();
        const item = await read(value);
        if (item !== null) return { done: false, value: item };
      }
    },
    end: async () => iterator.return?.(),
  });
}

/**
 * Yields the same items until a moment, then fails, then ends.
 *
 * @param remainingMs also called before each item, in case the timer is late; it may grow
 * @param sooner aborted when nothing remains, before the time that was known
 */
export function failsAt<Item>(
  items: AsyncIterable<Item>,
  {
    remainingMs,
    error,
    sooner,
  }: { remainingMs: () => number; error: () => Error; sooner?: AbortSignal | undefined },
): AsyncIterableIterator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  let isOver = false;
  /** Ends a pending request for the next item now. */
  let wake = () => {};
  let timer = setTimeout(check, timerMs());
  sooner?.addEventListener('abort', check);

  return iteratorOf({
    async next() {
      if (isOver) return ended();
      // Not Promise.race with one shared promise: that promise would keep a reference to every item until the end.
      const result = await new Promise<IteratorResult<Item> | null>((resolve, reject) => {
        wake = () => resolve(null);
        if (remainingMs() <= 0) resolve(null);
        else iterator.next().then(resolve, reject);
      });
      if (isOver) return ended();
      if (result !== null && result.done !== true && remainingMs() > 0) return result;
      const hasEndedByItself = result?.done === true;
      void close();
      if (hasEndedByItself) return ended();
      throw error();
    },
    async end() {
      await close();
      wake();
    },
  });

  async function close(): Promise<void> {
    isOver = true;
    clearTimeout(timer);
    sooner?.removeEventListener('abort', check);
    await iterator.return?.();
  }

  function check(): void {
    clearTimeout(timer);
    if (remainingMs() <= 0) wake();
    else timer = setTimeout(check, timerMs());
  }

  function timerMs(): number {
    return Math.min(Math.max(remainingMs(), 1), MAX_TIMER_MS);
  }
}
