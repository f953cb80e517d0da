import { badInput } from '../errors.js';
import { Prisma } from '../platform/database/client.js';
import type { Db } from '../platform/database/types.js';
import { matching, type SeriesFilter, type SeriesRange, within } from './crash-series.js';

/** What crashes can be broken down by: the columns of their series. */
export const CRASH_DIMENSIONS = ['FIRMWARE_VERSION', 'MODEL'] as const;
export type CrashDimension = (typeof CRASH_DIMENSIONS)[number];

export interface BreakdownQuestion {
  by: CrashDimension;
  range: SeriesRange;
  filter: SeriesFilter;
  /** Series at most; the others are added up to one more. */
  take: number;
}

/** The crashes of one version or model; of all the others where both are null. */
export interface CrashSeriesRow {
  firmwareVersion: string | null;
  modelId: number | null;
  count: number;
  /** Crashes by slot; slots without crashes are absent. */
  counts: ReadonlyMap<number, number>;
}

/** The most crashes first, the rest last. */
export type Breakdown = CrashSeriesRow[];

/** Longer charts cannot be read. */
const MAX_SERIES = 50;

/** @throws DomainError BAD_USER_INPUT */
export function checkedSeriesCount(first: number): number {
  if (first < 1 || first > MAX_SERIES)
    throw badInput(`"first" is from 1 to ${MAX_SERIES}.`, { field: 'first' });
  return first;
}

/** The crashes of the whole fleet, in one statement. */
export async function fleetBreakdown(db: Db, question: BreakdownQuestion): Promise<Breakdown> {
  const { by, range, filter } = question;
  const rows = await breakdownRows(
    db,
    question,
    Prisma.sql`SELECT 0 AS "owner", t.* FROM "CrashTally" t
      WHERE t."signatureId" = 0 AND ${within(range)} AND ${matching(filter, by === 'MODEL' ? 'model' : 'version')}`,
  );
  return toBreakdown(rows, question);
}

/** The crashes of many groups, in one statement. */
export async function groupBreakdowns(
  db: Db,
  groupIds: readonly number[],
  question: BreakdownQuestion,
): Promise<Map<number, Breakdown>> {
  const { range, filter } = question;
  // A signature has a row for each model and version, and none for a model alone.
  const rows = await breakdownRows(
    db,
    question,
    Prisma.sql`SELECT s."groupId" AS "owner", t.* FROM "CrashSignature" s
      JOIN "CrashTally" t ON t."signatureId" = s."id"
      WHERE s."groupId" IN (${Prisma.join([...groupIds])}) AND ${within(range)} AND ${matching(filter, 'version')}`,
  );
  const byGroup = new Map(groupIds.map((id) => [id, [] as BreakdownRow[]]));
  for (const row of rows) byGroup.get(row.owner)?.push(row);
  return new Map([...byGroup].map(([id, ofGroup]) => [id, toBreakdown(ofGroup, question)]));
}

interface BreakdownRow {
  owner: number;
  /** From 1, the most crashes first; `take` + 1 for the rest. */
  rank: number;
  key: string | number | null;
  slot: number;
  count: number;
}

/** Ranks the keys of each owner, and adds up what is behind the last rank. */
async function breakdownRows(
  db: Db,
  { by, take }: BreakdownQuestion,
  tallies: Prisma.Sql,
): Promise<BreakdownRow[]> {
  const column = COLUMNS[by];
  const rows = await db.$queryRaw<Array<Record<keyof BreakdownRow, number | bigint | string | null>>>`
    WITH sums AS (
      SELECT x."owner", ${column} AS "key", x."slot", sum(x."count") AS "count" FROM (${tallies}) x
      GROUP BY x."owner", ${column}, x."slot"),
    ranked AS (
      SELECT y."owner", y."key", row_number() OVER (PARTITION BY y."owner" ORDER BY sum(y."count") DESC, y."key") AS "rank"
      FROM sums y GROUP BY y."owner", y."key" HAVING sum(y."count") > 0)
    SELECT z."owner", z."rank", CASE WHEN z."rank" <= ${take} THEN max(z."key") END AS "key", z."slot", sum(z."count") AS "count"
    FROM (
      SELECT r."owner", CASE WHEN r."rank" <= ${take} THEN r."rank" ELSE ${take + 1} END AS "rank", r."key", s."slot", s."count"
      FROM ranked r JOIN sums s ON s."owner" = r."owner" AND s."key" = r."key") z
    GROUP BY z."owner", z."rank", z."slot" HAVING sum(z."count") <> 0 ORDER BY z."owner", z."rank", z."slot"`;
  return rows.map(({ owner, rank, key, slot, count }) => ({
    owner: Number(owner),
    rank: Number(rank),
    key: typeof key === 'bigint' ? Number(key) : key,
    slot: Number(slot),
    count: Number(count),
  }));
}

const COLUMNS: Record<CrashDimension, Prisma.Sql> = {
  FIRMWARE_VERSION: Prisma.sql`x."firmwareVersion"`,
  MODEL: Prisma.sql`x."modelId"`,
};

function toBreakdown(rows: readonly BreakdownRow[], { by }: BreakdownQuestion): Breakdown {
  const byRank = new Map<number, { key: BreakdownRow['key']; counts: Map<number, number> }>();
  for (const { rank, key, slot, count } of rows) {
    const series = byRank.get(rank) ?? { key, counts: new Map<number, number>() };
    series.counts.set(slot, count);
    byRank.set(rank, series);
  }
  return [...byRank.values()].map(({ key, counts }) => ({
    firmwareVersion: by === 'FIRMWARE_VERSION' && key !== null ? String(key) : null,
    modelId: by === 'MODEL' && key !== null ? Number(key) : null,
    count: [...counts.values()].reduce((sum, count) => sum + count, 0),
    counts,
  }));
}
