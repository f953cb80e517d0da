import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';

export type TokenUse = ReturnType<typeof createTokenUse>;

/** The last use of a token is useful information, but not worth a commit with each upload. */
const WRITE_AFTER_MS = 5_000;

/** Collects which devices have used their tokens, and writes it for all of them every few seconds. */
export function createTokenUse({ db, clock, log }: { db: Db; clock: Pick<Clock, 'now'>; log: Logger }) {
  let used = new Set<number>();
  let timer: NodeJS.Timeout | null = null;

  return {
    note(deviceId: number): void {
      used.add(deviceId);
      timer ??= setTimeout(() => void write(), WRITE_AFTER_MS).unref();
    },
    /** Call this before the database is closed. */
    write,
  };

  async function write(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const ids = [...used];
    used = new Set();
    if (ids.length === 0) return;
    try {
      await db.device.updateMany({ where: { id: { in: ids } }, data: { tokenUsedAt: clock.now() } });
    } catch (error) {
      log.warn({ err: error }, 'the last use of device tokens could not be written');
    }
  }
}
