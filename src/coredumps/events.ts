import { LRUCache } from 'lru-cache';
import type { Db, Follower } from '../platform/database/types.js';
import { createEventChannel, type EventChannel } from '../platform/event-channel.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { CoredumpRow } from './types.js';

/** Changes of dumps, published after their commit; an older state of a dump never follows a newer one. */
export interface CoredumpEvents {
  publish(dump: CoredumpRow): void;
  /** Subscribes with this call. Ends when the iterator is returned, and when the server stops. */
  subscribe(filter: { coredumpId?: number; deviceId?: number }): AsyncIterableIterator<CoredumpRow>;
}

/** Number of dumps whose last state is kept; far fewer change at the same time. */
const REMEMBERED = 10_000;

export function createCoredumpEvents(
  channel: EventChannel<CoredumpRow> = createEventChannel<CoredumpRow>(),
  /** Called for each published change, also for one that is known already. */
  onChange: () => void = () => {},
): CoredumpEvents & { subscriberCount(): number; close(): void } {
  const published = new LRUCache<number, number>({ max: REMEMBERED });
  return {
    publish(dump) {
      onChange();
      const stage = stageOf(dump);
      // The announcement of another server's change may arrive, and be read, before the answer to our own commit.
      if (stage <= (published.get(dump.id) ?? -1)) return;
      published.set(dump.id, stage);
      channel.publish(dump);
    },
    subscribe: ({ coredumpId, deviceId }) =>
      channel.subscribe(
        (dump) =>
          (coredumpId === undefined || dump.id === coredumpId) &&
          (deviceId === undefined || dump.deviceId === deviceId),
      ),
    subscriberCount: channel.subscriberCount,
    close: channel.close,
  };
}

/** Orders the states of a dump: within a generation PENDING comes first; a re-parse starts the next generation. */
function stageOf({ parseGeneration, parseStatus }: CoredumpRow): number {
  return 2 * parseGeneration + (parseStatus === 'PENDING' ? 0 : 1);
}

/**
 * Publishes here the changes that other servers announce. They send ids, and the rows are read when the ids arrive: a
 * dump that changes twice within a moment may be published with its last state only.
 */
export function followerOfDumps(db: Db, events: ReturnType<typeof createCoredumpEvents>): Follower {
  return {
    isWanted: () => events.subscriberCount() > 0,
    async onChanged(ids) {
      const where = { id: { in: [...ids] } };
      const rows = await db.coredump.findMany({ where, orderBy: { id: 'asc' }, select: COREDUMP_ROW });
      for (const row of rows) events.publish(toCoredumpRow(row));
    },
  };
}
