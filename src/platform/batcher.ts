import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs work in groups: what arrives while a group is being worked on forms the next one. Where items come alone none
 * waits for company, so an idle system answers at once; a busy one pays its fixed cost (a commit's fsync) once a group.
 *
 * When a group of several fails as a whole each item is tried alone, so that one bad item cannot fail its neighbours.
 *
 * @param atOnce groups that are worked on at the same time
 * @param gatherMs after a group of several, the next one gathers for so long: where there was a crowd there is one
 */
export function createBatcher<Item, Result>({
  run,
  maxItems,
  atOnce = 1,
  gatherMs = 0,
}: {
  run: (items: readonly Item[]) => Promise<readonly Result[]>;
  maxItems: number;
  atOnce?: number;
  gatherMs?: number;
}) {
  type Waiting = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void };
  const waiting: Waiting[] = [];
  let running = 0;
  let isCrowded = false;

  return async function add(item: Item): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running < atOnce) void runUntilEmpty();
    });
  };

  async function runUntilEmpty() {
    running += 1;
    // One turn of the event loop, so that requests which end in the same turn go together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      if (isCrowded && gatherMs > 0 && waiting.length < maxItems) await pause(gatherMs);
      const group = waiting.splice(0, maxItems);
      isCrowded = group.length > 1;
      await settle(group);
    }
    running -= 1;
  }

  async function settle(group: Waiting[]): Promise<void> {
    try {
      const results = await run(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      const [only] = group;
      if (group.length === 1) only?.reject(error);
      else for (const member of group) await settle([member]);
    }
  }
}
