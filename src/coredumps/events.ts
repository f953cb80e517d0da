import { LRUCache } from 'lru-cache';
import type { Db, Follower } from '../platform/database/types.js';
import { createEventChannel, type EventChannel } from '../platform/event-channel.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { CoredumpRow } from './types.js';

/** What changed, after the commit that changed it, and never an older state of a dump after a newer one. */
export interface CoredumpEvents {
  publish(dump: CoredumpRow): void;
  /** Listens from this call on. Ends when the iterator is returned, and when the server stops. */
  subscribe(filter: { coredumpId?: number; deviceId?: number }): AsyncIterableIterator<CoredumpRow>;
}

/** Dumps whose last state is remembered; those that change at the same time are far fewer. */
const REMEMBERED = 10_000;

export function createCoredumpEvents(
  channel: EventChannel<CoredumpRow> = createEventChannel<CoredumpRow>(),
): CoredumpEvents & { subscriberCount(): number; close(): void } {
  const published = new LRUCache<number, number>({ max: REMEMBERED });
  return {
    publish(dump) {
      const stage = stageOf(dump);
      // Another server's change of the same dump may have been heard of, and read, before our own commit's answer.
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

/** A dump's states in their order: within a generation PENDING comes first, and a re-parse begins the next one. */
function stageOf({ parseGeneration, parseStatus }: CoredumpRow): number {
  return 2 * parseGeneration + (parseStatus === 'PENDING' ? 0 : 1);
}

/**
 * Publishes here what other servers on the database change. They send ids; the rows are read when the ids arrive, so a
 * dump that changed twice within a moment may be published with its last state only.
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
