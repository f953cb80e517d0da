import { badInput } from '../errors.js';
import { ended, iteratorOf } from '../platform/async-iterators.js';
import type { Clock } from '../platform/clock.js';
import type { ChangeFilter, ChangeLog, Position, Subject } from '../platform/database/change-types.js';
import { DAY_MS } from '../platform/durations.js';
import type { Logger } from '../platform/logger.js';
import { readMissed } from './catch-up.js';
import { readCursor, writeCursor } from './cursor.js';
import { createChangeFeed } from './feed.js';
import type { ChangeEvent, CrashEvent } from './types.js';

/** How long changes are kept, and how many: a client that was away for longer reads its lists again. */
const KEPT_MS = DAY_MS;
const KEPT_CHANGES = 200_000;

export type ChangeService = ReturnType<typeof createChangeService>;

/** What was added, changed and deleted, by whom ever: told to followers, also to those that were away. */
export function createChangeService({ changes, clock, log, pollMs }: ChangeServiceDeps) {
  const feed = createChangeFeed({ changes, log, pollMs });

  return {
    /**
     * Changes as they are committed. With `since`, what has changed since then comes first: each thing once. READY
     * follows, then what happens from now on; nothing is missed in between.
     *
     * @throws DomainError BAD_USER_INPUT for a text that is no cursor
     */
    async follow(since: string | null, filter: ChangeFilter): Promise<AsyncIterableIterator<CrashEvent>> {
      const own = await feed.identity();
      const cursor = since === null ? null : readCursor(since, changes, own);
      if (since !== null && cursor === null) {
        throw badInput('This is not a cursor of crashEvents. Leave `since` out, and read your lists again.', {
          field: 'since',
        });
      }
      const { start, live } = await feed.join((at) => ({ start: at, live: feed.subscribe(filter) }));
      const missed =
        cursor === null
          ? async () => []
          : cursor === 'foreign'
            ? async () => null
            : readMissed(changes, { since: cursor, until: start, filter });
      return startingWithMissed(missed, live, (kind) => feedEvent(kind, { feed: own, start }));
    },

    /**
     * The items of `open`, which end when the thing is deleted, whoever deletes it.
     * @param open called when a deletion would be noticed; it reads the current state and rejects when there is none
     */
    async untilDeleted<Item>(
      subject: Subject,
      id: number,
      open: () => Promise<AsyncIterableIterator<Item>>,
    ): Promise<AsyncIterableIterator<Item>> {
      const deletion = { isOver: false, onOver: () => {} };
      const forget = await feed.join(() =>
        feed.onDeleted(subject, id, () => {
          deletion.isOver = true;
          deletion.onOver();
        }),
      );
      try {
        return endingWith(deletion, await open(), forget);
      } catch (error) {
        forget();
        throw error;
      }
    },

    /** Call it after a commit, so that followers need not wait for the next poll. */
    wake: feed.wake,
    hasFollowers: feed.hasFollowers,

    /** Removes old changes. Nothing else removes any. */
    async prune(): Promise<void> {
      const before = new Date(clock.now().getTime() - KEPT_MS);
      const count = await changes.prune({ before, keep: KEPT_CHANGES });
      if (count > 0) log.debug({ count }, 'old changes removed');
    },

    close: feed.close,
  };

  function feedEvent(
    kind: 'READY' | 'GAP',
    { feed: own, start }: { feed: string; start: Position },
  ): CrashEvent {
    const at = { from: start, to: start, afterId: 0 };
    return { kind, at: clock.now(), cursor: writeCursor({ feed: own, at }) };
  }
}

interface ChangeServiceDeps {
  changes: ChangeLog;
  clock: Pick<Clock, 'now'>;
  log: Logger;
  pollMs?: number;
}

/** Each batch of what was missed is read when the one before was taken. */
function startingWithMissed(
  missed: () => Promise<ChangeEvent[] | null>,
  live: AsyncIterableIterator<ChangeEvent>,
  feedEvent: (kind: 'READY' | 'GAP') => CrashEvent,
): AsyncIterableIterator<CrashEvent> {
  let waiting: CrashEvent[] = [];
  let isLive = false;
  let hasEnded = false;
  return iteratorOf<CrashEvent>({
    async next() {
      if (waiting.length === 0 && !isLive) waiting = await readWaiting();
      if (hasEnded) return ended();
      const value = waiting.shift();
      return value === undefined ? live.next() : { done: false, value };
    },
    async end() {
      hasEnded = true;
      waiting = [];
      await live.return?.();
    },
  });

  async function readWaiting(): Promise<CrashEvent[]> {
    const batch = await missed();
    if (batch !== null && batch.length > 0) return [...batch];
    isLive = true;
    return batch === null ? [feedEvent('GAP'), feedEvent('READY')] : [feedEvent('READY')];
  }
}

/** Items that were there before the end are still delivered. */
function endingWith<Item>(
  deletion: { isOver: boolean; onOver: () => void },
  items: AsyncIterableIterator<Item>,
  forget: () => void,
): AsyncIterableIterator<Item> {
  return iteratorOf<Item>({
    async next() {
      const result = await new Promise<IteratorResult<Item> | null>((resolve, reject) => {
        items.next().then(resolve, reject);
        // After what has settled already.
        deletion.onOver = () => setImmediate(() => resolve(null));
        if (deletion.isOver) deletion.onOver();
      });
      if (result !== null && result.done !== true) return result;
      await end();
      return ended();
    },
    end,
  });

  async function end(): Promise<void> {
    forget();
    await items.return?.();
    deletion.onOver();
  }
}
