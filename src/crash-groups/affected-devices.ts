import { Prisma } from '../platform/database/client.js';
import {
  inOrder,
  type OrderColumns,
  type OrderedWindow,
  windowSql,
} from '../platform/database/ordered-window.js';
import type { Db } from '../platform/database/types.js';

/** What the devices of a group are sorted by. */
export const AFFECTED_ORDERS = ['COUNT', 'LAST_CRASH_AT'] as const;
type AffectedOrder = (typeof AFFECTED_ORDERS)[number];
export type AffectedWindow = OrderedWindow<AffectedOrder>;

/** A device of a group. */
export interface AffectedDeviceRow {
  /** The device's id. */
  id: number;
  /** Its crashes of the group, those of deleted dumps included. */
  count: number;
  /** The arrival of its newest stored dump of the group; null when none is stored. */
  lastCrashAt: Date | null;
}

/** In the place of a time, for devices without a stored dump: before all others. */
export const NO_CRASH_STORED = new Date(0);

/**
 * The same window of each group's devices, in one statement. The dumps of a device are few, and found by their device: the
 * dumps of a group may be very many.
 */
export async function listAffectedDevices(
  db: Db,
  groupIds: readonly number[],
  window: AffectedWindow,
): Promise<Map<number, AffectedDeviceRow[]>> {
  const { within, order } = windowSql(COLUMNS, Prisma.sql`a."id"`, window);
  const rows = await db.$queryRaw<
    Array<{ groupId: number; id: number; count: number | bigint; lastCrashAt: Date | number | bigint | null }>
  >`
    SELECT * FROM (
      SELECT a.*, row_number() OVER (PARTITION BY a."groupId" ORDER BY ${order}) AS "rank" FROM (
        SELECT s."groupId", d."id", sum(x."count") AS "count", (
          SELECT max(c."uploadedAt") FROM "Coredump" c
          JOIN "CrashOccurrence" o ON o."coredumpId" = c."id" JOIN "CrashSignature" t ON t."id" = o."signatureId"
          WHERE c."deviceId" = d."id" AND t."groupId" = s."groupId") AS "lastCrashAt"
        FROM "CrashSignature" s JOIN "CrashDevice" x ON x."signatureId" = s."id"
        JOIN "Device" d ON d."id" = x."deviceId"
        WHERE s."groupId" IN (${Prisma.join([...groupIds])}) GROUP BY s."groupId", d."id"
      ) a WHERE ${within}
    ) r WHERE r."rank" <= ${window.take} ORDER BY r."rank"`;
  const byGroup = new Map<number, AffectedDeviceRow[]>(groupIds.map((id) => [id, []]));
  for (const { groupId, id, count, lastCrashAt } of rows) {
    // SQLite does not know that the greatest of times is a time.
    const at = typeof lastCrashAt === 'bigint' ? Number(lastCrashAt) : lastCrashAt;
    byGroup
      .get(Number(groupId))
      ?.push({ id: Number(id), count: Number(count), lastCrashAt: at === null ? null : new Date(at) });
  }
  for (const devices of byGroup.values()) inOrder(devices, window);
  return byGroup;
}

const COLUMNS: OrderColumns<AffectedOrder> = {
  COUNT: { sql: Prisma.sql`a."count"` },
  LAST_CRASH_AT: { sql: Prisma.sql`coalesce(a."lastCrashAt", ${NO_CRASH_STORED})` },
};
