import type { CountUnread } from '../coredumps/unread.js';
import { Prisma } from '../platform/database/client.js';
import { countForFleet } from './record-crash.js';
import type { Crash } from './types.js';

/**
 * Counts dumps that are deleted before their first parse: in series and versions, and in no group. Crashes of devices that
 * are not approved do not count, and neither does what was no crash.
 */
export const countUnread: CountUnread = async (tx, coredumpIds) => {
  if (coredumpIds.length === 0) return;
  const crashes = await tx.$queryRaw<Array<Crash & { id: number }>>`
    SELECT c."id", c."deviceId", d."modelId", coalesce(nullif(c."crashVersion", ''), c."firmwareVersion") AS "firmwareVersion", c."chip", c."uploadedAt" AS "at"
    FROM "Coredump" c JOIN "Device" d ON d."id" = c."deviceId"
    WHERE c."id" IN (${Prisma.join([...coredumpIds])}) AND d."approval" = 'APPROVED'
      AND coalesce(c."parseErrorKind", '') <> 'no_crash'
      AND NOT EXISTS (SELECT 1 FROM "CrashOccurrence" o WHERE o."coredumpId" = c."id")`;
  if (crashes.length === 0) return;
  await countForFleet(tx, crashes);
  await tx.crashOccurrence.createMany({
    data: crashes.map(({ id, modelId, firmwareVersion }) => ({
      coredumpId: id,
      signatureId: null,
      modelId,
      firmwareVersion,
    })),
  });
};
