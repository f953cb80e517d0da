import { Prisma } from '../platform/database/client.js';
import { ofGroups } from '../platform/database/group-ids.js';
import { oneOf } from '../platform/database/one-of.js';
import {
  inOrder,
  type OrderColumns,
  type OrderedWindow,
  windowSql,
} from '../platform/database/ordered-window.js';
import { containsWords } from '../platform/database/text-search.js';
import type { Db } from '../platform/database/types.js';
import { sumOfKind } from './reset-reasons.js';
import {
  type DeviceFilter,
  type DeviceModelFilter,
  type DeviceModelOrder,
  type DeviceModelRow,
  type DeviceOrder,
  type DeviceRow,
  NEVER,
} from './types.js';

/** Lists of devices and models, in SQL that SQLite and PostgreSQL both understand. "d" is the device, "m" the model. */

export type DeviceWindow = OrderedWindow<DeviceOrder['field']>;

export type DeviceQueries = ReturnType<typeof createDeviceQueries>;

export function createDeviceQueries(db: Db) {
  return {
    get: (key: string) => db.device.findUnique({ where: { key } }),
    getModel: (code: string) => db.deviceModel.findUnique({ where: { code } }),

    async list(filter: DeviceFilter, window: DeviceWindow): Promise<DeviceRow[]> {
      const { within, order } = windowSql(DEVICE_COLUMNS, Prisma.sql`d."id"`, window);
      const rows = await db.lookup<DeviceRow>(Prisma.sql`
        SELECT d.* FROM "Device" d WHERE ${conditions(filter)} AND ${within} ORDER BY ${order} LIMIT ${window.take}`);
      return inOrder(rows, window);
    },
    async count(filter: DeviceFilter): Promise<number> {
      const [row] = await db.lookup<{ count: number | bigint }>(Prisma.sql`
        SELECT count(*) AS "count" FROM "Device" d WHERE ${conditions(filter)}`);
      return Number(row?.count ?? 0);
    },

    async listModels(
      filter: DeviceModelFilter,
      window: OrderedWindow<DeviceModelOrder['field']>,
    ): Promise<DeviceModelRow[]> {
      const { within, order } = windowSql(MODEL_COLUMNS, Prisma.sql`m."id"`, window);
      const rows = await db.lookup<DeviceModelRow>(Prisma.sql`
        SELECT m.* FROM "DeviceModel" m WHERE ${ofModels(filter)} AND ${within} ORDER BY ${order} LIMIT ${window.take}`);
      return inOrder(rows, window);
    },
    async countModels(filter: DeviceModelFilter): Promise<number> {
      const [row] = await db.lookup<{ count: number | bigint }>(Prisma.sql`
        SELECT count(*) AS "count" FROM "DeviceModel" m WHERE ${ofModels(filter)}`);
      return Number(row?.count ?? 0);
    },
  };
}

/** The same window of each model's devices in one statement. */
export async function listDevicesOfModels(
  db: Db,
  modelIds: readonly number[],
  window: DeviceWindow,
): Promise<Map<number, DeviceRow[]>> {
  const { within, order } = windowSql(DEVICE_COLUMNS, Prisma.sql`d."id"`, window);
  const rows = await db.lookup<DeviceRow & { rank: unknown }>(Prisma.sql`
    SELECT * FROM (
      SELECT d.*, row_number() OVER (PARTITION BY d."modelId" ORDER BY ${order}) AS "rank"
      FROM "Device" d WHERE d."modelId" IN (${Prisma.join([...modelIds])}) AND ${within}
    ) r WHERE r."rank" <= ${window.take} ORDER BY r."rank"`);
  const byModel = new Map<number, DeviceRow[]>(modelIds.map((id) => [id, []]));
  for (const { rank: _, ...device } of rows) byModel.get(device.modelId)?.push(device);
  for (const devices of byModel.values()) inOrder(devices, window);
  return byModel;
}

/** The newest device or model has the highest id, so equal times do not matter. */
const DEVICE_COLUMNS: OrderColumns<DeviceOrder['field']> = {
  CREATED_AT: null,
  KEY: { sql: Prisma.sql`d."key"` },
  NAME: folded(Prisma.sql`COALESCE(d."name", d."key")`),
  CRASH_COUNT: { sql: Prisma.sql`d."crashCount"` },
  LAST_CRASH_AT: { sql: Prisma.sql`COALESCE(d."lastCrashAt", ${NEVER})` },
  LAST_SEEN_AT: { sql: Prisma.sql`COALESCE(d."lastSeenAt", ${NEVER})` },
};

const MODEL_COLUMNS: OrderColumns<DeviceModelOrder['field']> = {
  CREATED_AT: null,
  CODE: { sql: Prisma.sql`m."code"` },
  NAME: folded(Prisma.sql`m."name"`),
};

/** Sorted without regard to case. The database folds both sides, because the two databases do it differently. */
function folded(column: Prisma.Sql) {
  return {
    sql: Prisma.sql`lower(${column})`,
    bound: (value: string | number | Date) => Prisma.sql`lower(${String(value)})`,
  };
}

function conditions(filter: DeviceFilter): Prisma.Sql {
  const { createdAfter, createdBefore, lastCrashAfter, lastCrashBefore, lastSeenAfter, lastSeenBefore } =
    filter;
  const { hasCrashed, search, silentSince, unreportedCrashSinceDay } = filter;
  const all = [
    oneOf(Prisma.sql`d."key"`, filter.key),
    oneOf(Prisma.sql`d."serial"`, filter.serial),
    oneOf(Prisma.sql`d."approval"`, filter.approval),
    oneOf(Prisma.sql`d."ingestKeyId"`, filter.ingestKeyId),
    within(
      Prisma.sql`SELECT m."id" FROM "DeviceModel" m WHERE`,
      Prisma.sql`d."modelId"`,
      oneOf(Prisma.sql`m."code"`, filter.modelCode),
    ),
    within(
      Prisma.sql`SELECT v."deviceId" FROM "VersionDevice" v WHERE`,
      Prisma.sql`d."id"`,
      oneOf(Prisma.sql`v."firmwareVersion"`, filter.firmwareVersion),
    ),
    within(
      Prisma.sql`SELECT x."deviceId" FROM "CrashSignature" s JOIN "CrashDevice" x ON x."signatureId" = s."id" WHERE`,
      Prisma.sql`d."id"`,
      filter.crashGroupId === undefined ? null : ofGroups(Prisma.sql`s."groupId"`, filter.crashGroupId),
    ),
    createdAfter === undefined ? null : Prisma.sql`d."createdAt" >= ${createdAfter}`,
    createdBefore === undefined ? null : Prisma.sql`d."createdAt" < ${createdBefore}`,
    lastCrashAfter === undefined ? null : Prisma.sql`d."lastCrashAt" >= ${lastCrashAfter}`,
    lastCrashBefore === undefined ? null : Prisma.sql`d."lastCrashAt" < ${lastCrashBefore}`,
    lastSeenAfter === undefined ? null : Prisma.sql`d."lastSeenAt" >= ${lastSeenAfter}`,
    lastSeenBefore === undefined ? null : Prisma.sql`d."lastSeenAt" < ${lastSeenBefore}`,
    silentSince === undefined
      ? null
      : Prisma.sql`(d."lastBootAt" IS NOT NULL AND d."lastSeenAt" < ${silentSince} AND d."approval" = 'APPROVED')`,
    oneOf(Prisma.sql`d."lastBootVersion"`, filter.runningVersion),
    unreportedCrashSinceDay === undefined
      ? null
      : Prisma.sql`d."id" IN (SELECT x."deviceId" FROM "DeviceDay" x
          WHERE x."slot" >= ${unreportedCrashSinceDay} AND x."modelId" = d."modelId" GROUP BY x."deviceId"
          HAVING sum(${Prisma.raw(sumOfKind('CRASH', 'x'))}) > sum(x."crashes"))`,
    hasCrashed === undefined
      ? null
      : Prisma.sql`d."crashCount" ${hasCrashed ? Prisma.sql`> 0` : Prisma.sql`= 0`}`,
    ...containsWords(
      search ?? '',
      (isIn) =>
        Prisma.sql`(${isIn(Prisma.sql`d."key"`)} OR ${isIn(Prisma.sql`d."serial"`)} OR ${isIn(Prisma.sql`d."name"`)})`,
    ),
  ].filter((condition) => condition !== null);
  return joined(all);
}

function ofModels({ search }: DeviceModelFilter): Prisma.Sql {
  return joined(
    containsWords(
      search ?? '',
      (isIn) => Prisma.sql`(${isIn(Prisma.sql`m."code"`)} OR ${isIn(Prisma.sql`m."name"`)})`,
    ),
  );
}

function joined(all: readonly Prisma.Sql[]): Prisma.Sql {
  return all.length === 0 ? Prisma.sql`1 = 1` : Prisma.join([...all], ' AND ');
}

function within(select: Prisma.Sql, column: Prisma.Sql, condition: Prisma.Sql | null): Prisma.Sql | null {
  return condition === null ? null : Prisma.sql`${column} IN (${select} ${condition})`;
}
