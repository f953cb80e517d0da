import { setTimeout as pause } from 'node:timers/promises';

/** Thrown by `run` when it is unknown whether the work on a group was done. */
export class UnknownOutcome extends Error {
  override readonly name = 'UnknownOutcome';
  constructor(override readonly cause: unknown) {
    super('it is unknown whether the work was done');
  }
}

/**
 * Runs work in groups: items that arrive while a group is processed form the next one. Single items do not wait, so an
 * idle system answers at once; a busy one pays its fixed cost (a commit's fsync) once per group.
 *
 * When a group of several fails, each item is retried alone, so that one bad item cannot fail the others; unless the
 * group may have succeeded and only the answer is missing.
 *
 * An item may have a limit for its whole wait: for its group, in it, and for retries. A group is processed until the
 * first deadline of its items; the other items move to the next group.
 *
 * @param run gets a signal that is aborted at the group's deadline. When it rejects, nothing was done with any item and
 *   nothing will be; with `UnknownOutcome` that is unknown, and each item gets that error
 * @param atOnce groups that are processed at the same time
 * @param gatherMs after a group of several, how long the next one waits for more items, because more are likely
 * @param late the result of an item whose deadline has passed before anything was done with it
 */
export function createBatcher<Item, Result>({
  run,
  maxItems,
  atOnce = 1,
  gatherMs = 0,
  late = () => {
    throw new Error('an item has a deadline, but `late` is not given');
  },
}: {
  run: (items: readonly Item[], signal: AbortSignal) => Promise<readonly Result[]>;
  maxItems: number;
  atOnce?: number;
  gatherMs?: number;
  late?: () => Result;
}) {
  interface Waiting {
    item: Item;
    /** In the time of `performance.now()`; infinite without a limit. */
    deadline: number;
    /** Its group failed, possibly because of it. */
    isAlone: boolean;
    timer?: NodeJS.Timeout | undefined;
    resolve: (result: Result) => void;
    reject: (error: unknown) => void;
  }
  const waiting: Waiting[] = [];
  let running = 0;
  let isCrowded = false;

  return async function add(item: Item, waitMs = Number.POSITIVE_INFINITY): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const member: Waiting = { item, deadline: performance.now() + waitMs, isAlone: false, resolve, reject };
      queue(member, waiting.length);
      if (running < atOnce) void runUntilEmpty();
    });
  };

  function queue(member: Waiting, at: number): void {
    waiting.splice(at, 0, member);
    member.timer = timerUntil(member.deadline, () => {
      const index = waiting.indexOf(member);
      if (index < 0) return;
      waiting.splice(index, 1);
      member.resolve(late());
    });
  }

  async function runUntilEmpty() {
    running += 1;
    // One event-loop turn, so that requests which end in the same turn share a group.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      if (isCrowded && gatherMs > 0 && waiting.length < maxItems) await pause(gatherMs);
      const group = takeGroup();
      isCrowded = group.length > 1;
      if (group.length > 0) await settle(group);
    }
    running -= 1;
  }

  function takeGroup(): Waiting[] {
    const firstAlone = waiting.findIndex(({ isAlone }) => isAlone);
    const group = waiting.splice(0, firstAlone < 0 ? maxItems : Math.min(maxItems, Math.max(firstAlone, 1)));
    for (const { timer } of group) clearTimeout(timer);
    return group;
  }

  async function settle(group: Waiting[]): Promise<void> {
    const timeIsOver = new AbortController();
    const deadline = Math.min(...group.map((member) => member.deadline));
    const timer = timerUntil(deadline, () => timeIsOver.abort());
    const { signal } = timeIsOver;
    try {
      const results = await run(
        group.map(({ item }) => item),
        signal,
      );
      group.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      if (error instanceof UnknownOutcome) for (const { reject } of group) reject(error.cause);
      else undone(group, error, signal.aborted && error === signal.reason);
    } finally {
      clearTimeout(timer);
    }
  }

  function undone(group: readonly Waiting[], error: unknown, isOutOfTime: boolean): void {
    const now = performance.now();
    // Backwards, because each is inserted at the front.
    for (const member of group.toReversed()) {
      if (member.deadline <= now) {
        if (isOutOfTime) member.resolve(late());
        else member.reject(error);
      } else if (isOutOfTime) queue(member, 0);
      else if (group.length > 1) queue({ ...member, isAlone: true }, 0);
      else member.reject(error);
    }
  }
}

function timerUntil(deadline: number, work: () => void): NodeJS.Timeout | undefined {
  if (deadline === Number.POSITIVE_INFINITY) return undefined;
  // A timer may fire a fraction of a millisecond early.
  return setTimeout(work, Math.max(0, Math.ceil(deadline - performance.now()) + 1));
}
