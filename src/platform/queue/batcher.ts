import { setTimeout as pause } from 'node:timers/promises';

/** Thrown by the work on a group that may have been done, or not. */
export class UnknownOutcome extends Error {
  override readonly name = 'UnknownOutcome';
  constructor(override readonly cause: unknown) {
    super('nobody knows whether it was done');
  }
}

/**
 * Runs work in groups: what arrives while a group is being worked on forms the next one. Where items come alone none
 * waits for company, so an idle system answers at once; a busy one pays its fixed cost (a commit's fsync) once a group.
 *
 * When a group of several fails as a whole each item is tried alone, so that one bad item cannot fail its neighbours;
 * unless it may have succeeded, and only the answer is missing.
 *
 * An item may bring a limit of its waiting, however it waits: for its group, in it, or to be tried again. A group is
 * worked on until the first of its items has to be answered; the others go into the next one.
 *
 * @param run gets a signal that is aborted when the group's time is over. When it rejects nothing was done with any of
 *   the items and nothing will be; by `UnknownOutcome` it says that nobody knows, and each of them gets that error
 * @param atOnce groups that are worked on at the same time
 * @param gatherMs after a group of several, the next one gathers for so long: where there was a crowd there is one
 * @param late what an item gets whose time is over, and with which nothing was done
 */
export function createBatcher<Item, Result>({
  run,
  maxItems,
  atOnce = 1,
  gatherMs = 0,
  late = () => {
    throw new Error('an item has a deadline, and nobody says what becomes of it then');
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
    /** By `performance.now()`; infinite where there is none. */
    deadline: number;
    /** Its group failed, maybe for its sake. */
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
    // One turn of the event loop, so that requests which end in the same turn go together.
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
    // Backwards, since each goes to the front.
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
  // A timer may be some fraction of a millisecond early.
  return setTimeout(work, Math.max(0, Math.ceil(deadline - performance.now()) + 1));
}
