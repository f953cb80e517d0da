import { Prisma } from '../platform/database/client.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { CoredumpRow } from './types.js';

/*
 * A text may look like a crash and be none: a task watchdog that only warns, a list of tasks. It was counted for its
 * device when it was stored, like everything that arrives; it is uncounted when it is read.
 */

export function isNoCrash({ parseErrorKind }: { parseErrorKind: string | null }): boolean {
  return parseErrorKind === 'no_crash';
}

/** For a query of dumps. Most have no kind of error, with which `not` alone would be unknown. */
export const BUT_NO_CRASHES = {
  OR: [{ parseErrorKind: null }, { parseErrorKind: { not: 'no_crash' } }],
} satisfies Prisma.CoredumpWhereInput;

/** Stored crashes of a device. What was deleted in the meantime is not among them. */
const NEWEST = Prisma.sql`(
  SELECT max(c."uploadedAt") FROM "Coredump" c
  WHERE c."deviceId" = "Device"."id" AND coalesce(c."parseErrorKind", '') <> 'no_crash')`;

/** After its row says that it is no crash. One that was counted in series and groups before stays counted everywhere. */
export async function uncountNoCrash(
  tx: DbTransaction,
  { id, deviceId }: Pick<CoredumpRow, 'id' | 'deviceId'>,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE "Device" SET "crashCount" = "crashCount" - 1,
      "lastCrashAt" = CASE WHEN "crashCount" > 1 THEN coalesce(${NEWEST}, "lastCrashAt") END
    WHERE "id" = ${deviceId} AND "crashCount" > 0
      AND NOT EXISTS (SELECT 1 FROM "CrashOccurrence" o WHERE o."coredumpId" = ${id})`;
}

/** After the rows of such texts were set to be read again. */
export async function recountNoCrashes(tx: DbTransaction, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$executeRaw`
    UPDATE "Device" SET "crashCount" = "crashCount" + n."count",
      "lastCrashAt" = CASE WHEN "lastCrashAt" > n."at" THEN "lastCrashAt" ELSE n."at" END
    FROM (
      SELECT c."deviceId", count(*) AS "count", max(c."uploadedAt") AS "at" FROM "Coredump" c
      WHERE c."id" IN (${Prisma.join([...ids])})
        AND NOT EXISTS (SELECT 1 FROM "CrashOccurrence" o WHERE o."coredumpId" = c."id")
      GROUP BY c."deviceId"
    ) n WHERE n."deviceId" = "Device"."id"`;
}
