import type { DeviceRow } from '../devices/types.js';
import type { Clock } from '../platform/clock.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { containsWords } from '../platform/database/text-search.js';
import type { Db } from '../platform/database/types.js';
import { fleetSeries, type SeriesFilter, type SeriesRange } from './crash-series.js';
import { listMissingFirmwares } from './missing-firmware.js';
import { type CrashGroupFilter, type CrashGroupRow, type GroupOrder, toGroupRow } from './types.js';

/** Lists of groups, in SQL that SQLite and PostgreSQL both understand. "g" is the group. */

type StoredGroup = Parameters<typeof toGroupRow>[0];

/** The limit of a page: the value that the list is sorted by, and the id among equal values. */
export interface GroupPosition {
  value: number;
  id: number;
}

/** `take` groups between two positions, both exclusive, the highest first. */
export interface GroupWindow {
  order: GroupOrder;
  take: number;
  after?: GroupPosition;
  before?: GroupPosition;
  /** Takes them from the lower end; the result still has the highest first. */
  fromEnd?: boolean;
}

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
    /** @throws DomainError BAD_USER_INPUT */
    listMissingFirmwares: (take: number) => listMissingFirmwares(db, take),
  };
}

export async function listGroups(
  db: Db,
  filter: CrashGroupFilter,
  window: GroupWindow,
): Promise<CrashGroupRow[]> {
  const rows = await db.$queryRaw<StoredGroup[]>`
    SELECT g.* FROM "CrashGroup" g WHERE ${conditions(filter)} AND ${within(window)}
    ORDER BY ${sorted(window)} LIMIT ${window.take}`;
  return (window.fromEnd === true ? rows.reverse() : rows).map(toGroupRow);
}

async function countGroups(db: Db, filter: CrashGroupFilter): Promise<number> {
  const [row] = await db.$queryRaw<Array<{ count: number | bigint }>>`
    SELECT count(*) AS "count" FROM "CrashGroup" g WHERE ${conditions(filter)}`;
  return Number(row?.count ?? 0);
}

/** The same window of each parent's groups in one statement. */
export async function listGroupsOf(
  db: Db,
  parent: GroupParent,
  ids: readonly number[],
  window: GroupWindow,
): Promise<Map<number, CrashGroupRow[]>> {
  const rows = await db.$queryRaw<Array<StoredGroup & { parent: number; rank: unknown }>>`
    SELECT * FROM (
      SELECT g.*, p."parent", row_number() OVER (PARTITION BY p."parent" ORDER BY ${sorted(window)}) AS "rank"
      FROM (${MEMBERSHIP[parent](Prisma.join([...ids]))}) p
      JOIN "CrashGroup" g ON g."id" = p."groupId" WHERE ${within(window)}
    ) r WHERE r."rank" <= ${window.take} ORDER BY r."rank"`;
  const answers = new Map<number, CrashGroupRow[]>(ids.map((id) => [id, []]));
  for (const { parent: id, rank: _, ...row } of rows) answers.get(Number(id))?.push(toGroupRow(row));
  if (window.fromEnd === true) for (const groups of answers.values()) groups.reverse();
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

/** The position of a group in an order, for cursors. */
export function positionOf(group: CrashGroupRow, order: GroupOrder): GroupPosition {
  return { id: group.id, value: VALUES[order](group) };
}

const VALUES: Record<GroupOrder, (group: CrashGroupRow) => number> = {
  COUNT: ({ count }) => count,
  DEVICES: ({ deviceCount }) => deviceCount,
  RECENCY: ({ lastSeenAt }) => lastSeenAt.getTime(),
  VELOCITY: ({ heat }) => heat,
};

const COLUMNS: Record<GroupOrder, Prisma.Sql> = {
  COUNT: Prisma.sql`g."count"`,
  DEVICES: Prisma.sql`g."deviceCount"`,
  RECENCY: Prisma.sql`g."lastSeenAt"`,
  VELOCITY: Prisma.sql`g."heat"`,
};

function sorted({ order, fromEnd }: GroupWindow): Prisma.Sql {
  const direction = fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  return Prisma.sql`${COLUMNS[order]} ${direction}, g."id" ${direction}`;
}

function within({ order, after, before }: GroupWindow): Prisma.Sql {
  const column = COLUMNS[order];
  const value = (position: GroupPosition) =>
    order === 'RECENCY' ? new Date(position.value) : position.value;
  const bounds = [
    after === undefined ? null : Prisma.sql`(${column}, g."id") < (${value(after)}, ${after.id})`,
    before === undefined ? null : Prisma.sql`(${column}, g."id") > (${value(before)}, ${before.id})`,
  ].filter((bound) => bound !== null);
  return bounds.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(bounds, ' AND ');
}

/** Each group once for each of its parents. */
const MEMBERSHIP: Record<GroupParent, (ids: Prisma.Sql) => Prisma.Sql> = {
  device: (ids) => Prisma.sql`SELECT DISTINCT x."deviceId" AS "parent", s."groupId" FROM "CrashDevice" x
    JOIN "CrashSignature" s ON s."id" = x."signatureId" WHERE x."deviceId" IN (${ids})`,
  firmware: (ids) => Prisma.sql`SELECT DISTINCT f."id" AS "parent", s."groupId" FROM "Firmware" f
    JOIN "CrashVariant" v ON v."modelId" = f."modelId" AND v."firmwareVersion" = f."version"
    JOIN "CrashSignature" s ON s."id" = v."signatureId" WHERE f."id" IN (${ids})`,
};

function conditions(filter: CrashGroupFilter): Prisma.Sql {
  const { modelCode, firmwareVersion, chip, deviceKey, fingerprint, isRegression } = filter;
  const { firstSeenAfter, lastSeenAfter, search } = filter;
  const all = [
    oneOf(Prisma.sql`g."state"`, filter.state),
    oneOf(Prisma.sql`g."kind"`, filter.kind),
    oneOf(Prisma.sql`g."reasonClass"`, filter.reasonClass),
    oneOf(Prisma.sql`g."assignee"`, filter.assignee),
    withVariant(modelCode, firmwareVersion, chip),
    withDevice(deviceKey),
    withSignature(oneOf(Prisma.sql`s."fingerprint"`, fingerprint)),
    isRegression === undefined
      ? null
      : Prisma.sql`g."regressedAt" IS ${isRegression ? Prisma.sql`NOT NULL` : Prisma.sql`NULL`}`,
    firstSeenAfter === undefined ? null : Prisma.sql`g."firstSeenAt" >= ${firstSeenAfter}`,
    lastSeenAfter === undefined ? null : Prisma.sql`g."lastSeenAt" >= ${lastSeenAfter}`,
    ...containsWords(search ?? '', inGroup),
  ].filter((condition) => condition !== null);
  return all.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(all, ' AND ');
}

/** One variant must match model, version and chip together. */
function withVariant(
  modelCode: readonly string[] | undefined,
  firmwareVersion: readonly string[] | undefined,
  chip: readonly string[] | undefined,
): Prisma.Sql | null {
  const ofModel = oneOf(Prisma.sql`m."code"`, modelCode);
  const wanted = [
    ofModel === null
      ? null
      : Prisma.sql`v."modelId" IN (SELECT m."id" FROM "DeviceModel" m WHERE ${ofModel})`,
    oneOf(Prisma.sql`v."firmwareVersion"`, firmwareVersion),
    oneOf(Prisma.sql`v."chip"`, chip),
  ].filter((condition) => condition !== null);
  if (wanted.length === 0) return null;
  return Prisma.sql`g."id" IN (SELECT s."groupId" FROM "CrashVariant" v
    JOIN "CrashSignature" s ON s."id" = v."signatureId" WHERE ${Prisma.join(wanted, ' AND ')})`;
}

function withDevice(keys: readonly string[] | undefined): Prisma.Sql | null {
  const named = oneOf(Prisma.sql`d."key"`, keys);
  if (named === null) return null;
  return Prisma.sql`g."id" IN (SELECT s."groupId" FROM "Device" d JOIN "CrashDevice" x ON x."deviceId" = d."id"
    JOIN "CrashSignature" s ON s."id" = x."signatureId" WHERE ${named})`;
}

function withSignature(condition: Prisma.Sql | null): Prisma.Sql | null {
  if (condition === null) return null;
  return Prisma.sql`g."id" IN (SELECT s."groupId" FROM "CrashSignature" s WHERE ${condition})`;
}

function inGroup(isIn: (column: Prisma.Sql) => Prisma.Sql): Prisma.Sql {
  const columns = ['title', 'reason', 'culpritFunction', 'culpritFile', 'assignee', 'note'];
  const anywhere = columns.map((name) => isIn(Prisma.sql`g.${Prisma.raw(`"${name}"`)}`));
  return Prisma.sql`(${Prisma.join(anywhere, ' OR ')})`;
}

/** An empty list matches nothing. */
function oneOf(column: Prisma.Sql, values: readonly string[] | undefined): Prisma.Sql | null {
  if (values === undefined) return null;
  return values.length === 0 ? Prisma.sql`1 = 0` : Prisma.sql`${column} IN (${Prisma.join([...values])})`;
}
