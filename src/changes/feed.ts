import { setImmediate as afterOthers } from 'node:timers/promises';
import {
  type Change,
  type ChangeFilter,
  type ChangeLog,
  isWanted,
  type Position,
  type Span,
  type Subject,
} from '../platform/database/change-types.js';
import { createEventChannel } from '../platform/event-channel.js';
import type { Logger } from '../platform/logger.js';
import { writeCursor } from './cursor.js';
import type { ChangeEvent } from './types.js';

/** Changes in one read. */
const BATCH = 500;
/** Changes that nobody announces are found within this time: those of other servers, and of background work. */
const POLL_MS = 1_000;

export type ChangeFeed = ReturnType<typeof createChangeFeed>;

/**
 * Reads the change log once for all followers of this server: after each change that is known here, and every second
 * for the others. Without followers it does nothing.
 */
export function createChangeFeed({ changes, log, pollMs = POLL_MS }: ChangeFeedDeps) {
  const channel = createEventChannel<ChangeEvent>();
  const deletions = new Map<string, Set<() => void>>();
  /** Waiting for the end of a read that begins after their call. */
  let joining: Array<{ begin: (at: Position) => void; fail: (error: unknown) => void }> = [];
  let identity: string | null = null;
  /** Everything up to here was published; null while nobody follows. */
  let position: Position | null = null;
  let isDue = false;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  return {
    /**
     * Calls `begin` with a position that has every change of before this call. Whoever subscribes within `begin` gets
     * every change after the position.
     */
    join<T>(begin: (at: Position) => T): Promise<T> {
      return new Promise((resolve, reject) => {
        joining.push({
          begin: (at) => {
            try {
              resolve(begin(at));
            } catch (error) {
              reject(error);
            }
          },
          fail: reject,
        });
        read();
      });
    },

    /** Call it within `join`. */
    subscribe: (filter: ChangeFilter) => channel.subscribe((change) => isWanted(filter, change)),

    /** Calls back when the thing is deleted. Call it within `join`. @returns a function that ends it */
    onDeleted(subject: Subject, id: number, listener: () => void): () => void {
      const key = `${subject} ${id}`;
      const listeners = deletions.get(key) ?? new Set();
      deletions.set(key, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) deletions.delete(key);
      };
    },

    /** Call it after a commit: changes are read at once instead of at the next poll. */
    wake(): void {
      if (hasFollowers()) read();
    },

    hasFollowers,

    async identity(): Promise<string> {
      identity ??= await changes.identity();
      return identity;
    },

    /** Ends all subscriptions. Call it before the database is closed. */
    async close(): Promise<void> {
      isClosed = true;
      clearTimeout(timer);
      channel.close();
      await running;
    },
  };

  function hasFollowers(): boolean {
    return channel.subscriberCount() > 0 || deletions.size > 0;
  }

  function read(): void {
    if (isClosed) {
      failJoining(new Error('the change feed is closed'));
      return;
    }
    isDue = true;
    running ??= readWhileDue();
  }

  async function readWhileDue(): Promise<void> {
    clearTimeout(timer);
    while (isDue && !isClosed) {
      isDue = false;
      const waiting = joining;
      joining = [];
      try {
        const at = await publishNew();
        for (const { begin } of waiting) begin(at);
      } catch (error) {
        for (const { fail } of waiting) fail(error);
        if (hasFollowers()) log.warn({ err: error }, 'changes could not be read; trying again');
      }
    }
    if (isClosed) {
      failJoining(new Error('the change feed is closed'));
    } else if (hasFollowers()) {
      timer = setTimeout(poll, pollMs);
    } else {
      position = null;
    }
    // At once: whoever asks from here on begins the next read.
    running = null;
  }

  function failJoining(error: Error): void {
    for (const { fail } of joining.splice(0)) fail(error);
  }

  function poll(): void {
    if (hasFollowers()) read();
    else position = null;
  }

  async function publishNew(): Promise<Position> {
    identity ??= await changes.identity();
    const to = await changes.now();
    const from = position;
    if (from !== null && hasFollowers()) {
      for (const span = { from, to, afterId: 0 }; ; ) {
        const found = await changes.read(span, {}, BATCH);
        const isLast = found.length < BATCH;
        publish(toEvents(found, { feed: identity, span, isLast }));
        if (isLast) break;
        span.afterId = found.at(-1)?.lastId ?? span.afterId;
        // Followers take what they have before they get more.
        await afterOthers();
      }
    }
    position = to;
    return to;
  }

  function publish(events: readonly ChangeEvent[]): void {
    for (const event of events) {
      channel.publish(event);
      if (event.kind !== 'DELETED') continue;
      for (const listener of deletions.get(`${event.subject} ${event.subjectId}`) ?? []) listener();
    }
  }
}

interface ChangeFeedDeps {
  changes: ChangeLog;
  log: Logger;
  pollMs?: number | undefined;
}

/** @param options.isLast whether the span ends with these changes */
export function toEvents(
  found: readonly Change[],
  { feed, span: { from, to }, isLast }: { feed: string; span: Span; isLast: boolean },
): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  const batch = { events };
  for (const change of found) {
    const isEnd = isLast && events.length === found.length - 1;
    const at = { from: isEnd ? to : from, to, afterId: change.lastId };
    events.push({ ...change, cursor: writeCursor({ feed, at }), batch });
  }
  return events;
}
