import { createHash } from 'node:crypto';
import type { Db } from '../platform/database/types.js';
import { type Comparable, isSameDump, RETRY_WINDOW_MS } from './commit.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import type { CoredumpRow } from './types.js';

/** Finds the stored dump that an upload repeats, outside any transaction. */
export async function findEarlierDump(db: Db, arrival: Comparable): Promise<CoredumpRow | null> {
  const { deviceId, sha256, idempotencyKey, uploadedAt } = arrival;
  const candidates = await db.coredump.findMany({
    where: {
      deviceId,
      OR: [
        { sha256, uploadedAt: { gte: new Date(uploadedAt.getTime() - RETRY_WINDOW_MS) } },
        ...(idempotencyKey === null ? [] : [{ idempotencyKey }]),
      ],
    },
    select: { ...COREDUMP_ROW, idempotencyKey: true },
  });
  const earlier = candidates.find((row) => isSameDump(row, arrival));
  return earlier === undefined ? null : toCoredumpRow(earlier);
}

export async function hashOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}
