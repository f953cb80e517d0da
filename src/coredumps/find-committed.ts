import { inTransaction } from '../platform/database/transaction.js';
import type { Db } from '../platform/database/types.js';
import type { Arrival } from './commit.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { CoredumpRow } from './types.js';

/**
 * What became of a commit that failed: PostgreSQL may have done it although its answer was lost on the way. Asked
 * behind the device's lock, which every commit holds from its first statement to its end, so that one which the
 * database is still working on is waited for. (SQLite answers in our own process: what failed there was not done.)
 *
 * @returns the row when it stands; null when it does not and never will
 * @throws when the database cannot be asked: then nobody knows
 */
export async function findCommitted(
  db: Db,
  { deviceId, filename, uploadedAt }: Pick<Arrival, 'deviceId' | 'filename' | 'uploadedAt'>,
): Promise<CoredumpRow | null> {
  const row = await inTransaction(db, async (tx) => {
    await tx.device.updateMany({ where: { id: deviceId }, data: { lastUploadAt: uploadedAt } });
    return tx.coredump.findUnique({
      where: { deviceId_filename: { deviceId, filename } },
      select: COREDUMP_ROW,
    });
  });
  return row === null ? null : toCoredumpRow(row);
}
