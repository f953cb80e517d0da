import type { OwnCodeRule } from '../crashdump/index.js';
import type { DeviceRow } from '../devices/types.js';
import type { Clock } from '../platform/clock.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import {
  inOrder,
  type OrderColumns,
  type OrderedWindow,
  windowSql,
} from '../platform/database/ordered-window.js';
import type { Db } from '../platform/database/types.js';
import { type Breakdown, type BreakdownQuestion, fleetBreakdown } from './crash-breakdown.js';
import { crashFreeDays } from './crash-days.js';
import { ALL, fleetSeries, type SeriesFilter, type SeriesRange, SLOT_MS } from './crash-series.js';
import { matchingGroups } from './group-filter.js';
import { currentGroupId } from './merged-groups.js';
import { listMissingFirmwares } from './missing-firmware.js';
import { previewOwnCode } from './own-code-preview.js';
import { listPeople, type PeopleQuestion } from './people.js';
import { type CrashGroupFilter, type CrashGroupRow, type GroupOrderField, toGroupRow } from './types.js';

/** Lists of groups, in SQL that SQLite and PostgreSQL both understand. "g" is the group. */

type StoredGroup = Parameters<typeof toGroupRow>[0];

export type GroupWindow = OrderedWindow<GroupOrderField>;

/** Groups of a device, or of the version of a firmware. */
export type GroupParent = 'device' | 'firmware';

export type CrashGroupQueries = ReturnType<typeof createCrashGroupQueries>;

/** Reads over all groups. `loaders.ts` has the reads that are batched per group. */
export function createCrashGroupQueries(db: Db, clock: Pick<Clock, 'now'>) {
  return {
    now: clock.now,
    list: (filter: CrashGroupFilter, window: GroupWindow) => listGroups(db, filter, window),
    count: (filter: CrashGroupFilter) => countGroups(db, filter),
    /** Crashes of the whole fleet by slot; slots without crashes are absent. */
    series: (range: SeriesRange, filter: SeriesFilter) => fleetSeries(db, range, filter),
    breakdown: (question: BreakdownQuestion): Promise<Breakdown> => fleetBreakdown(db, question),
    /** @throws DomainError BAD_USER_INPUT for a range in hours */
    crashFreeDays: (range: SeriesRange, { modelIds }: SeriesFilter) => crashFreeDays(db, range, modelIds),
    recordedSince: () => recordedSince(db, clock.now()),
    /** The group that answers for an id: another one after a merge. */
    currentId: (id: number) => currentGroupId(db, id),
    previewOwnCode: (modelId: number, rules: readonly OwnCodeRule[]) => previewOwnCode(db, modelId, rules),
    people: (question: PeopleQuestion) => listPeople(db, question),
    /** @throws DomainError BAD_USER_INPUT */
    listMissingFirmwares: (take: number) => listMissingFirmwares(db, take),
  };
}

/** When the server was installed, or the first crash where an earlier one was imported. */
async function recordedSince(db: Db, now: Date): Promise<Date> {
  const [first] = await db.$queryRaw<Array<{ slot: number | bigint | null }>>`
    SELECT min("slot") AS "slot" FROM "CrashTally"
    WHERE "signatureId" = ${ALL} AND "unit" = 'HOUR' AND "firmwareVersion" = '' AND "modelId" = ${ALL}`;
  const installation = await db.installation.findUnique({ where: { id: 1 }, select: { createdAt: true } });
  const times = [
    ...(first?.slot == null ? [] : [Number(first.slot) * SLOT_MS.HOUR]),
    ...(installation === null ? [] : [installation.createdAt.getTime()]),
  ];
  return new Date(Math.min(...times, now.getTime()));
}

export async function listGroups(
  db: Db,
  filter: CrashGroupFilter,
  window: GroupWindow,
): Promise<CrashGroupRow[]> {
  const { within, order } = windowOf(window);
  const rows = await db.$queryRaw<StoredGroup[]>`
    SELECT g.* FROM "CrashGroup" g WHERE ${matchingGroups(filter)} AND ${within}
    ORDER BY ${order} LIMIT ${window.take}`;
  return inOrder(rows, window).map(toGroupRow);
}

async function countGroups(db: Db, filter: CrashGroupFilter): Promise<number> {
  const [row] = await db.$queryRaw<Array<{ count: number | bigint }>>`
    SELECT count(*) AS "count" FROM "CrashGroup" g WHERE ${matchingGroups(filter)}`;
  return Number(row?.count ?? 0);
}

/** The same window of each parent's groups in one statement. */
export async function listGroupsOf(
  db: Db,
  parent: GroupParent,
  ids: readonly number[],
  window: GroupWindow,
): Promise<Map<number, CrashGroupRow[]>> {
  const { within, order } = windowOf(window);
  const rows = await db.$queryRaw<Array<StoredGroup & { parent: number; rank: unknown }>>`
    SELECT * FROM (
      SELECT g.*, p."parent", row_number() OVER (PARTITION BY p."parent" ORDER BY ${order}) AS "rank"
      FROM (${MEMBERSHIP[parent](Prisma.join([...ids]))}) p
      JOIN "CrashGroup" g ON g."id" = p."groupId" WHERE ${within}
    ) r WHERE r."rank" <= ${window.take} ORDER BY r."rank"`;
  const answers = new Map<number, CrashGroupRow[]>(ids.map((id) => [id, []]));
  for (const { parent: id, rank: _, ...row } of rows) answers.get(Number(id))?.push(toGroupRow(row));
  for (const groups of answers.values()) inOrder(groups, window);
  return answers;
}

export async function countGroupsOf(
  db: Db,
  parent: GroupParent,
  ids: readonly number[],
): Promise<Map<number, number>> {
  const rows = await db.$queryRaw<Array<{ parent: number; count: number | bigint }>>`
    SELECT p."parent", count(*) AS "count" FROM (${MEMBERSHIP[parent](Prisma.join([...ids]))}) p GROUP BY p."parent"`;
  return new Map(rows.map(({ parent: id, count }) => [Number(id), Number(count)]));
}

/** The same window of each group's devices in one statement. */
export async function listDevicesOfGroups(
  db: Db,
  groupIds: readonly number[],
  { take, beforeId, afterId, fromEnd }: PageWindow,
): Promise<Map<number, DeviceRow[]>> {
  const direction = fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const before = beforeId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`d."id" < ${beforeId}`;
  const after = afterId === undefined ? Prisma.sql`1 = 1` : Prisma.sql`d."id" > ${afterId}`;
  const rows = await db.$queryRaw<Array<DeviceRow & { groupId: number; rank: unknown }>>`
    SELECT * FROM (
      SELECT d.*, p."groupId", row_number() OVER (PARTITION BY p."groupId" ORDER BY d."id" ${direction}) AS "rank"
      FROM (
        SELECT DISTINCT s."groupId", x."deviceId" FROM "CrashSignature" s
        JOIN "CrashDevice" x ON x."signatureId" = s."id" WHERE s."groupId" IN (${Prisma.join([...groupIds])})
      ) p JOIN "Device" d ON d."id" = p."deviceId" WHERE ${before} AND ${after}
    ) r WHERE r."rank" <= ${take} ORDER BY r."id" DESC`;
  const byGroup = new Map<number, DeviceRow[]>(groupIds.map((id) => [id, []]));
  for (const { groupId, rank: _, ...row } of rows) byGroup.get(groupId)?.push(row);
  return byGroup;
}

/** Each has an index, with the id. */
const COLUMNS: OrderColumns<GroupOrderField> = {
  COUNT: { sql: Prisma.sql`g."count"` },
  DEVICE_COUNT: { sql: Prisma.sql`g."deviceCount"` },
  LAST_SEEN_AT: { sql: Prisma.sql`g."lastSeenAt"` },
  FIRST_SEEN_AT: { sql: Prisma.sql`g."firstSeenAt"` },
  VELOCITY: { sql: Prisma.sql`g."heat"` },
};

const windowOf = (window: GroupWindow) => windowSql(COLUMNS, Prisma.sql`g."id"`, window);

/** Each group once for each of its parents. */
const MEMBERSHIP: Record<GroupParent, (ids: Prisma.Sql) => Prisma.Sql> = {
  device: (ids) => Prisma.sql`SELECT DISTINCT x."deviceId" AS "parent", s."groupId" FROM "CrashDevice" x
    JOIN "CrashSignature" s ON s."id" = x."signatureId" WHERE x."deviceId" IN (${ids})`,
  firmware: (ids) => Prisma.sql`SELECT DISTINCT f."id" AS "parent", s."groupId" FROM "Firmware" f
    JOIN "CrashVariant" v ON v."modelId" = f."modelId" AND v."firmwareVersion" = f."version"
    JOIN "CrashSignature" s ON s."id" = v."signatureId" WHERE f."id" IN (${ids})`,
};
