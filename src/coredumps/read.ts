import { MAX_ROW_ID } from '../global-ids.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { containsWords } from '../platform/database/text-search.js';
import type { Db } from '../platform/database/types.js';
import { LISTED_COLUMNS, ListedDump } from './listed-dump.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import {
  type CoredumpColumns,
  type CoredumpFilter,
  type CoredumpRow,
  PARSE_STATUSES,
  type ParseStatus,
} from './types.js';

/**
 * Queries over many dumps, in SQL that SQLite and PostgreSQL both accept. A filter has one translation, which lists,
 * counts, a device's dumps and re-parses share. "c" is the table alias of the dump.
 */

export type StoredRow = Parameters<typeof toCoredumpRow>[0];

/** The columns of a `CoredumpRow`, as `COREDUMP_ROW` selects them. */
export const COLUMNS = columnsOfDump(Object.keys(COREDUMP_ROW));

const LISTED = columnsOfDump(LISTED_COLUMNS);

export type CoredumpQueries = ReturnType<typeof createCoredumpQueries>;

/** Queries over all dumps; `loaders.ts` has the queries per device, group or dump. */
export function createCoredumpQueries(db: Db) {
  return {
    list: (filter: CoredumpFilter, window: PageWindow) => listCoredumps(db, filter, window),
    count: (filter: CoredumpFilter) => countCoredumps(db, filter),

    async get(id: number): Promise<CoredumpRow | null> {
      const row = await db.coredump.findUnique({ where: { id }, select: COREDUMP_ROW });
      return row === null ? null : toCoredumpRow(row);
    },

    /** For metrics; statuses without a dump are counted as 0. */
    async countByStatus(): Promise<Array<[ParseStatus, number]>> {
      const groups = await db.coredump.groupBy({ by: ['parseStatus'], _count: true });
      return PARSE_STATUSES.map((status) => [
        status,
        groups.find(({ parseStatus }) => parseStatus === status)?._count ?? 0,
      ]);
    },
  };
}

/** Newest first, from whichever end the window is taken. */
export async function listCoredumps(
  db: Db,
  filter: CoredumpFilter,
  window: PageWindow,
): Promise<CoredumpRow[]> {
  const direction = window.fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const order = Prisma.sql`ORDER BY "id" ${direction} LIMIT ${window.take}`;
  const lead = leadOf(filter);
  const rows = await db.lookup<StoredRow>(
    lead === null
      ? Prisma.sql`
        SELECT ${COLUMNS} FROM "Coredump" c WHERE ${conditions(filter)} AND ${within(window)} ${order}`
      : Prisma.sql`${ledPages(lead, window, direction)} ${order}`,
  );
  return (window.fromEnd === true ? rows.reverse() : rows).map(toCoredumpRow);
}

interface Lead {
  column: Prisma.Sql;
  values: string[];
  rest: CoredumpFilter;
}

/** One page per value; the page over all values is a subset of their rows. */
function ledPages({ column, values, rest }: Lead, window: PageWindow, direction: Prisma.Sql): Prisma.Sql {
  const { take, afterId = 0, beforeId = MAX_ROW_ID + 1 } = window;
  const pages = values.map(
    (value) => Prisma.sql`
      SELECT * FROM (
        SELECT ${COLUMNS} FROM "Coredump" c WHERE ${conditions(rest)}
          AND (${column}, c."id") > (${value}, ${afterId}) AND (${column}, c."id") <= (${value}, ${beforeId - 1})
        ORDER BY ${column} ${direction}, c."id" ${direction} LIMIT ${take}
      ) page`,
  );
  return Prisma.join(pages, ' UNION ALL ');
}

/** Columns that have an index together with the id, the most selective first. */
const LEADS = [
  ['fingerprint', Prisma.sql`c."fingerprint"`],
  ['firmwareVersion', Prisma.sql`c."firmwareVersion"`],
  ['parseStatus', Prisma.sql`c."parseStatus"`],
] as const;
/** Most pages that one statement may consist of. */
const MAX_LEADS = 20;

/**
 * The column whose index serves the page. With `=` PostgreSQL may scan the dumps by id instead, newest first: it
 * assumes that the dumps of a version are spread evenly, but they are as old as the version. A row comparison with two
 * bounds, and ordering by both columns, leaves this index as the only usable one. Not for devices, whose own index
 * covers fewer dumps. Several values are split only if there are no other conditions: each value has its own page, and
 * if the other conditions match nothing, all dumps of the value would be read.
 */
function leadOf(filter: CoredumpFilter): Lead | null {
  if (filter.deviceKey !== undefined || filter.modelCode !== undefined) return null;
  for (const [name, column] of LEADS) {
    const { [name]: named, ...rest } = filter;
    const values = [...new Set(named)];
    const isAlone = Object.values(rest).every((value) => value === undefined);
    if (values.length === 1 || (isAlone && values.length > 1 && values.length <= MAX_LEADS)) {
      return { column, values, rest };
    }
  }
  return null;
}

async function countCoredumps(db: Db, filter: CoredumpFilter): Promise<number> {
  const [row] = await db.lookup<{ count: number | bigint }>(Prisma.sql`
    SELECT count(*) AS "count" FROM "Coredump" c WHERE ${conditions(filter)}`);
  return Number(row?.count ?? 0);
}

/** Ids greater than `afterId`, ascending: for work in batches over all dumps. */
export async function idsOfCoredumps(
  db: Db,
  filter: CoredumpFilter,
  { afterId, take }: { afterId: number; take: number },
) {
  const rows = await db.lookup<{ id: number }>(Prisma.sql`
    SELECT c."id" FROM "Coredump" c WHERE ${conditions(filter)} AND c."id" > ${afterId} ORDER BY c."id" LIMIT ${take}`);
  return rows.map(({ id }) => id);
}

/**
 * The same window of each device's dumps in ONE statement, however many devices. Each device's page is a lookup of its
 * own that reads nothing beyond the page. For PostgreSQL a row comparison forces that index, as in `leadOf`. SQLite
 * finds the ids of the page in the index alone, then reads the rows.
 */
export async function listCoredumpsByDevice(
  db: Db,
  deviceIds: readonly number[],
  filter: CoredumpFilter,
  window: PageWindow,
  columns: CoredumpColumns = 'all',
): Promise<Map<number, CoredumpRow[]>> {
  const direction = window.fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const wanted = columns === 'all' ? COLUMNS : LISTED;
  const { take, afterId = 0, beforeId = MAX_ROW_ID + 1 } = window;
  const rows = await db.lookup<StoredRow>(
    db.hasLateral
      ? Prisma.sql`
        SELECT ${wanted} FROM "Device" d CROSS JOIN LATERAL (
          SELECT ${wanted} FROM "Coredump" c WHERE ${conditions(filter)}
            AND (c."deviceId", c."id") > (d."id", ${afterId}) AND (c."deviceId", c."id") <= (d."id", ${beforeId - 1})
          ORDER BY c."deviceId" ${direction}, c."id" ${direction} LIMIT ${take}
        ) c WHERE d."id" IN (${Prisma.join([...deviceIds])}) ORDER BY c."id" DESC`
      : Prisma.sql`
        SELECT ${wanted} FROM "Device" d CROSS JOIN "Coredump" c ON c."id" IN (
          SELECT c."id" FROM "Coredump" c
          WHERE c."deviceId" = d."id" AND ${conditions(filter)} AND ${within(window)}
          ORDER BY c."id" ${direction} LIMIT ${take}
        ) WHERE d."id" IN (${Prisma.join([...deviceIds])}) ORDER BY c."id" DESC`,
  );
  const byDevice = new Map<number, CoredumpRow[]>(deviceIds.map((id) => [id, []]));
  for (const row of rows) {
    const dump = toCoredumpRow(row);
    byDevice.get(row.deviceId)?.push(columns === 'all' ? dump : new ListedDump(dump));
  }
  return byDevice;
}

/**
 * The same window of each crash group's dumps in ONE statement. It reads the rows of the pages, not all dumps of the
 * groups: each signature's page is looked up in the index, and the group's page is a subset of these. For PostgreSQL a
 * row comparison forces that index, as in `leadOf`: with `=` it may scan all dumps by id, because it assumes that the
 * dumps of a signature are spread evenly. The outer LIMIT removes no rows: it tells PostgreSQL how few rows there can
 * be.
 */
export async function listCoredumpsOfGroups(
  db: Db,
  groupIds: readonly number[],
  { take, beforeId = MAX_ROW_ID + 1, afterId = 0, fromEnd }: PageWindow,
): Promise<Map<number, CoredumpRow[]>> {
  const direction = fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const pages = db.hasLateral
    ? Prisma.sql`
      CROSS JOIN LATERAL (
        SELECT o."coredumpId" FROM "CrashOccurrence" o
        WHERE (o."signatureId", o."coredumpId") > (s."id", ${afterId})
          AND (o."signatureId", o."coredumpId") <= (s."id", ${beforeId - 1})
        ORDER BY o."signatureId" ${direction}, o."coredumpId" ${direction} LIMIT ${take}
      ) o`
    : Prisma.sql`
      CROSS JOIN "CrashOccurrence" o ON o."coredumpId" IN (
        SELECT o."coredumpId" FROM "CrashOccurrence" o
        WHERE o."signatureId" = s."id" AND o."coredumpId" > ${afterId} AND o."coredumpId" < ${beforeId}
        ORDER BY o."coredumpId" ${direction} LIMIT ${take}
      )`;
  const rows = await db.$queryRaw<Array<StoredRow & { groupId: number }>>`
    SELECT r."groupId", ${COLUMNS} FROM (
      SELECT q."groupId", q."coredumpId" FROM (
        SELECT s."groupId", o."coredumpId",
          row_number() OVER (PARTITION BY s."groupId" ORDER BY o."coredumpId" ${direction}) AS "rank"
        FROM "CrashSignature" s ${pages} WHERE s."groupId" IN (${Prisma.join([...groupIds])})
      ) q WHERE q."rank" <= ${take} LIMIT ${take * groupIds.length}
    ) r JOIN "Coredump" c ON c."id" = r."coredumpId" ORDER BY c."id" DESC`;
  const byGroup = new Map<number, CoredumpRow[]>(groupIds.map((id) => [id, []]));
  for (const { groupId, ...row } of rows) byGroup.get(groupId)?.push(toCoredumpRow(row));
  return byGroup;
}

export async function countCoredumpsByDevice(
  db: Db,
  deviceIds: readonly number[],
  filter: CoredumpFilter,
): Promise<Map<number, number>> {
  const rows = await db.lookup<{ deviceId: number; count: number | bigint }>(Prisma.sql`
    SELECT c."deviceId", count(*) AS "count" FROM "Coredump" c
    WHERE c."deviceId" IN (${Prisma.join([...deviceIds])}) AND ${conditions(filter)} GROUP BY c."deviceId"`);
  return new Map(rows.map(({ deviceId, count }) => [deviceId, Number(count)]));
}

function conditions(filter: CoredumpFilter): Prisma.Sql {
  const { parseStatus, chip, firmwareVersion, deviceKey, modelCode, fingerprint } = filter;
  const { uploadedAfter, uploadedBefore, search } = filter;
  const all = [
    oneOf(Prisma.sql`c."parseStatus"`, parseStatus),
    oneOf(Prisma.sql`c."chip"`, chip),
    oneOf(Prisma.sql`c."firmwareVersion"`, firmwareVersion),
    oneOf(Prisma.sql`c."fingerprint"`, fingerprint),
    ofDevices(Prisma.sql`d."key"`, deviceKey),
    ofDevices(Prisma.sql`m."code"`, modelCode),
    uploadedAfter === undefined ? null : Prisma.sql`c."uploadedAt" >= ${uploadedAfter}`,
    uploadedBefore === undefined ? null : Prisma.sql`c."uploadedAt" < ${uploadedBefore}`,
    ...containsWords(search ?? '', inDumpOrDevice),
  ].filter((condition) => condition !== null);
  return all.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(all, ' AND ');
}

function columnsOfDump(names: readonly string[]): Prisma.Sql {
  return Prisma.raw(names.map((name) => `c."${name}"`).join(', '));
}

/** An empty list matches nothing. */
function oneOf(column: Prisma.Sql, values: readonly string[] | undefined): Prisma.Sql | null {
  if (values === undefined) return null;
  return values.length === 0 ? Prisma.sql`1 = 0` : Prisma.sql`${column} IN (${Prisma.join([...values])})`;
}

function ofDevices(column: Prisma.Sql, values: readonly string[] | undefined): Prisma.Sql | null {
  const named = oneOf(column, values);
  if (named === null) return null;
  return Prisma.sql`c."deviceId" IN (
    SELECT d."id" FROM "Device" d JOIN "DeviceModel" m ON m."id" = d."modelId" WHERE ${named})`;
}

/** Bounds are ids instead of a cursor's row: they stay valid when that row was deleted. */
function within({ beforeId, afterId }: PageWindow): Prisma.Sql {
  const bounds = [
    beforeId === undefined ? null : Prisma.sql`c."id" < ${beforeId}`,
    afterId === undefined ? null : Prisma.sql`c."id" > ${afterId}`,
  ].filter((bound) => bound !== null);
  return bounds.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(bounds, ' AND ');
}

/**
 * Evaluated dump by dump, newest first: a full page ends the reading of texts. Each text is looked up by a scalar
 * subquery, because PostgreSQL evaluates EXISTS for all texts at once before it looks at any dump.
 */
function inDumpOrDevice(isIn: (column: Prisma.Sql) => Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    ${isIn(Prisma.sql`c."filename"`)} OR ${isIn(Prisma.sql`c."chip"`)} OR ${isIn(Prisma.sql`c."firmwareVersion"`)}
    OR (SELECT ${isIn(Prisma.sql`d."key"`)} OR ${isIn(Prisma.sql`d."name"`)} FROM "Device" d WHERE d."id" = c."deviceId")
    OR (SELECT ${isIn(Prisma.sql`t."output"`)} FROM "CoredumpText" t WHERE t."coredumpId" = c."id"))`;
}
