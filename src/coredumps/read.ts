import { MAX_ROW_ID } from '../global-ids.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { ofGroups } from '../platform/database/group-ids.js';
import type { Db } from '../platform/database/types.js';
import { conditions, within } from './conditions.js';
import { createDescriber } from './describe.js';
import { CRASH_COLUMNS, LISTED_COLUMNS, ListedDump } from './listed-dump.js';
import type { MarkdownLinks } from './markdown.js';
import { COREDUMP_ROW, toCoredumpRow } from './row.js';
import {
  type CoredumpColumns,
  type CoredumpFilter,
  type CoredumpRow,
  PARSE_STATUSES,
  type ParseStatus,
} from './types.js';

/**
 * Queries over many dumps, in SQL that SQLite and PostgreSQL both accept. Filters are translated by `conditions.ts`. "c"
 * is the table alias of the dump.
 */

export type StoredRow = Parameters<typeof toCoredumpRow>[0];

/** The columns of a `CoredumpRow`, as `COREDUMP_ROW` selects them. */
export const COLUMNS = columnsOfDump(Object.keys(COREDUMP_ROW));

const SELECTED: Readonly<Record<CoredumpColumns, Prisma.Sql>> = {
  all: COLUMNS,
  crash: columnsOfDump(CRASH_COLUMNS),
  listed: columnsOfDump(LISTED_COLUMNS),
};

export type CoredumpQueries = ReturnType<typeof createCoredumpQueries>;

/** Queries over all dumps; `loaders.ts` has the queries per device, group or dump. */
export function createCoredumpQueries(db: Db, links: MarkdownLinks) {
  return {
    ...createDescriber(db, links),
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
  const rows = await db.lookup<StoredRow>(Prisma.sql`${candidates(db, filter, window, direction)} ${order}`);
  return (window.fromEnd === true ? rows.reverse() : rows).map(toCoredumpRow);
}

/** The rows of the page and few others: what an index finds without reading dumps that do not match. */
function candidates(db: Db, filter: CoredumpFilter, window: PageWindow, direction: Prisma.Sql): Prisma.Sql {
  const { crashGroupId = [], ...rest } = filter;
  if (crashGroupId.length > 0 && !namesFewDumps(filter)) {
    const pages = pagesOfSignatures(db, rest, window, direction);
    return Prisma.sql`
      SELECT ${COLUMNS} FROM (
        SELECT o."coredumpId" FROM "CrashSignature" s ${pages} WHERE ${ofGroups(Prisma.sql`s."groupId"`, crashGroupId)}
        ORDER BY o."coredumpId" ${direction} LIMIT ${window.take}
      ) r JOIN "Coredump" c ON c."id" = r."coredumpId"`;
  }
  const lead = leadOf(filter);
  if (lead !== null) return ledPages(lead, window, direction);
  return Prisma.sql`SELECT ${COLUMNS} FROM "Coredump" c WHERE ${conditions(filter)} AND ${within(window)}`;
}

/** Dumps by their ids, or those of single devices, of which retention leaves few. */
function namesFewDumps({ id, deviceId, deviceKey }: CoredumpFilter): boolean {
  return id !== undefined || deviceId !== undefined || deviceKey !== undefined;
}

interface Lead {
  column: Prisma.Sql;
  values: Array<string | number>;
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
  ['firmwareId', Prisma.sql`c."firmwareId"`],
  ['crashedTask', Prisma.sql`c."crashedTask"`],
  ['crashVersion', Prisma.sql`c."crashVersion"`],
  ['firmwareVersion', Prisma.sql`c."firmwareVersion"`],
  ['crashKind', Prisma.sql`c."crashKind"`],
  ['parseErrorKind', Prisma.sql`c."parseErrorKind"`],
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
  if (namesFewDumps(filter) || filter.modelCode !== undefined) return null;
  for (const [name, column] of LEADS) {
    const { [name]: named, ...rest } = filter;
    const values = [...new Set<string | number>(named)];
    const isAlone = Object.values(rest).every((value) => value === undefined);
    if (values.length === 1 || (isAlone && values.length > 1 && values.length <= MAX_LEADS)) {
      return { column, values, rest };
    }
  }
  return null;
}

async function countCoredumps(db: Db, filter: CoredumpFilter): Promise<number> {
  const [row] = await db.lookup<{ count: number | bigint }>(Prisma.sql`
    SELECT count(*) AS "count" FROM "Coredump" c WHERE ${conditions(filter, { groups: 'all at once' })}`);
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

/** What dumps belong to. Names of tables and columns come from the program, never from a user. */
export type DumpParent = keyof typeof PARENTS;

const PARENTS = {
  device: { table: Prisma.raw('"Device"'), column: Prisma.raw('"deviceId"') },
  firmware: { table: Prisma.raw('"Firmware"'), column: Prisma.raw('"firmwareId"') },
};

/**
 * The same window of each device's (or build's) dumps in ONE statement, however many. Each page is a lookup of its own
 * that reads nothing beyond the page. For PostgreSQL a row comparison forces that index, as in `leadOf`. SQLite finds the
 * ids of the page in the index alone, then reads the rows.
 */
export async function listCoredumpsByParent(
  db: Db,
  parent: DumpParent,
  parentIds: readonly number[],
  filter: CoredumpFilter,
  window: PageWindow,
  columns: CoredumpColumns = 'all',
): Promise<Map<number, CoredumpRow[]>> {
  const { table, column } = PARENTS[parent];
  const direction = window.fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  // Also tells to which parent a row belongs.
  const wanted = SELECTED[columns];
  const { take, afterId = 0, beforeId = MAX_ROW_ID + 1 } = window;
  const rows = await db.lookup<StoredRow>(
    db.hasLateral
      ? Prisma.sql`
        SELECT ${wanted} FROM ${table} d CROSS JOIN LATERAL (
          SELECT ${wanted} FROM "Coredump" c WHERE ${conditions(filter)}
            AND (c.${column}, c."id") > (d."id", ${afterId}) AND (c.${column}, c."id") <= (d."id", ${beforeId - 1})
          ORDER BY c.${column} ${direction}, c."id" ${direction} LIMIT ${take}
        ) c WHERE d."id" IN (${Prisma.join([...parentIds])}) ORDER BY c."id" DESC`
      : Prisma.sql`
        SELECT ${wanted} FROM ${table} d CROSS JOIN "Coredump" c ON c."id" IN (
          SELECT c."id" FROM "Coredump" c
          WHERE c.${column} = d."id" AND ${conditions(filter)} AND ${within(window)}
          ORDER BY c."id" ${direction} LIMIT ${take}
        ) WHERE d."id" IN (${Prisma.join([...parentIds])}) ORDER BY c."id" DESC`,
  );
  const byParent = new Map<number | null, CoredumpRow[]>(parentIds.map((id) => [id, []]));
  for (const row of rows) {
    const dump = toCoredumpRow(row);
    const parentId = parent === 'device' ? row.deviceId : row.firmwareId;
    byParent.get(parentId)?.push(columns === 'all' ? dump : new ListedDump(dump, columns));
  }
  return new Map(parentIds.map((id) => [id, byParent.get(id) ?? []]));
}

/**
 * The same window of each crash group's dumps in ONE statement. It reads the rows of the pages, not all dumps of the
 * groups: each signature's page is looked up in the index, and the group's page is a subset of these. The outer LIMIT
 * removes no rows: it tells PostgreSQL how few rows there can be.
 */
export async function listCoredumpsOfGroups(
  db: Db,
  groupIds: readonly number[],
  window: PageWindow,
  filter: CoredumpFilter = {},
): Promise<Map<number, CoredumpRow[]>> {
  const { take, fromEnd } = window;
  const direction = fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
  const pages = pagesOfSignatures(db, filter, window, direction);
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

/**
 * Joins each signature "s" with the ids of its page of dumps, "o". For PostgreSQL a row comparison forces the index, as in
 * `leadOf`: with `=` it may scan all dumps by id, because it assumes that the dumps of a signature are spread evenly.
 */
function pagesOfSignatures(
  db: Db,
  filter: CoredumpFilter,
  { take, beforeId = MAX_ROW_ID + 1, afterId = 0 }: PageWindow,
  direction: Prisma.Sql,
): Prisma.Sql {
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const matching = isFiltered
    ? Prisma.sql`"CrashOccurrence" o CROSS JOIN "Coredump" c WHERE c."id" = o."coredumpId" AND ${conditions(filter)}`
    : Prisma.sql`"CrashOccurrence" o WHERE 1 = 1`;
  return db.hasLateral
    ? Prisma.sql`
      CROSS JOIN LATERAL (
        SELECT o."coredumpId" FROM ${matching}
          AND (o."signatureId", o."coredumpId") > (s."id", ${afterId})
          AND (o."signatureId", o."coredumpId") <= (s."id", ${beforeId - 1})
        ORDER BY o."signatureId" ${direction}, o."coredumpId" ${direction} LIMIT ${take}
      ) o`
    : Prisma.sql`
      CROSS JOIN "CrashOccurrence" o ON o."coredumpId" IN (
        SELECT o."coredumpId" FROM ${matching}
          AND o."signatureId" = s."id" AND o."coredumpId" > ${afterId} AND o."coredumpId" < ${beforeId}
        ORDER BY o."coredumpId" ${direction} LIMIT ${take}
      )`;
}

export async function countCoredumpsByParent(
  db: Db,
  parent: DumpParent,
  parentIds: readonly number[],
  filter: CoredumpFilter,
): Promise<Map<number, number>> {
  const { column } = PARENTS[parent];
  const rows = await db.lookup<{ parentId: number; count: number | bigint }>(Prisma.sql`
    SELECT c.${column} AS "parentId", count(*) AS "count" FROM "Coredump" c
    WHERE c.${column} IN (${Prisma.join([...parentIds])}) AND ${conditions(filter)} GROUP BY c.${column}`);
  return new Map(rows.map(({ parentId, count }) => [parentId, Number(count)]));
}

function columnsOfDump(names: readonly string[]): Prisma.Sql {
  return Prisma.raw(names.map((name) => `c."${name}"`).join(', '));
}

export async function countCoredumpsOfGroups(
  db: Db,
  groupIds: readonly number[],
  filter: CoredumpFilter,
): Promise<Map<number, number>> {
  const rows = await db.lookup<{ groupId: number; count: number | bigint }>(Prisma.sql`
    SELECT s."groupId", count(*) AS "count" FROM "CrashSignature" s
    JOIN "CrashOccurrence" o ON o."signatureId" = s."id" JOIN "Coredump" c ON c."id" = o."coredumpId"
    WHERE s."groupId" IN (${Prisma.join([...groupIds])}) AND ${conditions(filter)} GROUP BY s."groupId"`);
  return new Map(rows.map(({ groupId, count }) => [Number(groupId), Number(count)]));
}
