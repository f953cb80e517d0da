import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';

export type TokenUse = ReturnType<typeof createTokenUse>;

/** The last use of a token is useful information, but not worth a commit with each upload. */
const WRITE_AFTER_MS = 5_000;

/** Collects which devices have used their tokens, and which ingest keys were used, and writes it every few seconds. */
export function createTokenUse({ db, clock, log }: { db: Db; clock: Pick<Clock, 'now'>; log: Logger }) {
  let used = new Set<number>();
  let usedKeys = new Set<number>();
  let timer: NodeJS.Timeout | null = null;

  return {
    note(deviceId: number): void {
      used.add(deviceId);
      writeSoon();
    },
    noteIngestKey(ingestKeyId: number): void {
      usedKeys.add(ingestKeyId);
      writeSoon();
    },
    /** Call this before the database is closed. */
    write,
  };

  function writeSoon(): void {
    timer ??= setTimeout(() => void write(), WRITE_AFTER_MS).unref();
  }

  async function write(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const ids = [...used];
    used = new Set();
    const keyIds = [...usedKeys];
    usedKeys = new Set();
    const now = clock.now();
    try {
      if (ids.length > 0) {
        const data = { tokenUsedAt: now, lastSeenAt: now };
        await db.device.updateMany({ where: { id: { in: ids } }, data });
      }
      if (keyIds.length > 0)
        await db.ingestKey.updateMany({ where: { id: { in: keyIds } }, data: { lastUsedAt: now } });
    } catch (error) {
      log.warn({ err: error }, 'the last use of device tokens and ingest keys could not be written');
    }
  }
}
