import { badInput } from '../errors.js';
import { Prisma } from '../platform/database/client.js';
import DataLoader from '../platform/database/data-loader.js';
import type { Db, DbTransaction } from '../platform/database/types.js';
import { type LocalDay, localDays } from './local-days.js';

export const TIME_UNITS = ['HOUR', 'DAY'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

export const SLOT_MS: Record<TimeUnit, number> = { HOUR: 3_600_000, DAY: 86_400_000 };
/** Stands for all signatures, or all models. */
export const ALL = 0;
/** Stands for all versions. */
const ALL_VERSIONS = '';

/** The series in which a crash is counted. */
export interface SeriesKey {
  signatureId: number;
  modelId: number;
  firmwareVersion: string;
}

/** Adds a crash at its time, or removes it (`count` -1). */
export interface SeriesChange extends SeriesKey {
  at: Date;
  by: 1 | -1;
}

/**
 * Adds each change to the hour and the day of its crash: in the series of all versions and in that of its version. The
 * whole fleet also has a series for each model. A signature has none for all versions: it is the sum of its few
 * versions.
 */
export async function addToSeries(tx: DbTransaction, changes: readonly SeriesChange[]): Promise<void> {
  const sums = new Map<string, { columns: Array<string | number>; by: number }>();
  // Each row once and in a fixed order, so that concurrent transactions cannot deadlock.
  for (const unit of TIME_UNITS) {
    for (const kind of [0, 1, 2] as const) {
      for (const { signatureId, modelId, firmwareVersion, at, by } of [...changes].sort(bySlot)) {
        const ofKind = [
          { version: ALL_VERSIONS, model: ALL },
          ...(signatureId === ALL ? [{ version: ALL_VERSIONS, model: modelId }] : []),
          { version: firmwareVersion, model: modelId },
        ][kind];
        if (ofKind === undefined) continue;
        const columns = [signatureId, unit, ofKind.version, ofKind.model, slotOf(at, unit)];
        const key = JSON.stringify(columns);
        sums.set(key, { columns, by: (sums.get(key)?.by ?? 0) + by });
      }
    }
  }
  const rows = [...sums.values()]
    .filter(({ by }) => by !== 0)
    .map(({ columns, by }) => Prisma.sql`(${Prisma.join([...columns, by])})`);
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    await tx.$executeRaw`
      INSERT INTO "CrashTally" ("signatureId", "unit", "firmwareVersion", "modelId", "slot", "count")
      VALUES ${Prisma.join(rows.slice(from, from + ROWS_AT_ONCE))}
      ON CONFLICT ("signatureId", "unit", "firmwareVersion", "modelId", "slot")
      DO UPDATE SET "count" = "CrashTally"."count" + excluded."count"`;
  }
}

/** SQLite binds at most 32,766 values in a statement, and PostgreSQL 65,535. */
const ROWS_AT_ONCE = 1_000;

function bySlot(a: SeriesChange, b: SeriesChange): number {
  return (
    a.at.getTime() - b.at.getTime() ||
    a.modelId - b.modelId ||
    (a.firmwareVersion < b.firmwareVersion ? -1 : a.firmwareVersion > b.firmwareVersion ? 1 : 0)
  );
}

export interface SeriesRange {
  unit: TimeUnit;
  /** First and last slot are both inclusive, in hours or days since 1970 (UTC). */
  firstSlot: number;
  lastSlot: number;
  /** Days of a time zone, of which the hours are read: when each begins, and its first hour. */
  days?: readonly LocalDay[];
}

export interface SeriesFilter {
  modelIds?: readonly number[];
  firmwareVersions?: readonly string[];
}

/** Maps the codes of models to the ids of stored series. Each code is looked up once. */
export function createSeriesFilters(db: Db) {
  const models = new DataLoader<string, number | null>(async (codes) => {
    const rows = await db.deviceModel.findMany({
      where: { code: { in: [...codes] } },
      select: { id: true, code: true },
    });
    const ids = new Map(rows.map(({ id, code }) => [code, id]));
    return codes.map((code) => ids.get(code) ?? null);
  });
  return async function seriesFilter({
    modelCode,
    firmwareVersion,
  }: {
    modelCode?: string[];
    firmwareVersion?: string[];
  }): Promise<SeriesFilter> {
    const ids = modelCode === undefined ? undefined : await models.loadMany(modelCode);
    return {
      ...(ids === undefined ? {} : { modelIds: ids.filter((id) => typeof id === 'number') }),
      ...(firmwareVersion === undefined ? {} : { firmwareVersions: firmwareVersion }),
    };
  };
}

/** One year and one day in days; six weeks in hours. */
export const MAX_SLOTS = 1_008;
export const DEFAULT_SLOTS: Record<TimeUnit, number> = { HOUR: 48, DAY: 30 };

/**
 * The slots of a chart.
 * @param from inclusive; its slot is the first. Default: 48 hours or 30 days before `to`
 * @param to exclusive; default: the current slot is the last
 * @param timeZone whose days are meant; hours are the same in all zones
 * @throws DomainError BAD_USER_INPUT when the range is empty or too long, or there is no such zone
 */
export function seriesRange(
  {
    unit,
    from,
    to,
    timeZone,
  }: {
    unit: TimeUnit;
    from?: Date | null | undefined;
    to?: Date | null | undefined;
    timeZone?: string | null | undefined;
  },
  now: Date,
): SeriesRange {
  if (unit === 'DAY' && timeZone != null) return localRange({ from, to, timeZone }, now);
  const lastSlot = to == null ? slotOf(now, unit) : Math.ceil(to.getTime() / SLOT_MS[unit]) - 1;
  const firstSlot = from == null ? lastSlot - DEFAULT_SLOTS[unit] + 1 : slotOf(from, unit);
  const slots = lastSlot - firstSlot + 1;
  if (slots < 1)
    throw badInput('The end of a time series, "to", must be later than its start, "from".', { field: 'to' });
  if (slots > MAX_SLOTS) {
    throw badInput(
      `A time series has at most ${MAX_SLOTS} columns; from and to are ${slots} ${unit === 'HOUR' ? 'hours' : 'days'} apart.`,
      { field: 'from' },
    );
  }
  return { unit, firstSlot, lastSlot };
}

/** The series of the whole fleet. @returns crashes by slot; slots without crashes are absent */
export async function fleetSeries(db: Db, range: SeriesRange, filter: SeriesFilter) {
  const rows = await db.$queryRaw<Array<{ slot: number; count: number | bigint }>>`
    SELECT t."slot", sum(t."count") AS "count" FROM "CrashTally" t
    WHERE t."signatureId" = ${ALL} AND ${within(range)} AND ${matching(filter, 'all')}
    GROUP BY t."slot"`;
  return new Map(rows.map(({ slot, count }) => [Number(slot), Number(count)]));
}

/** The series of many groups, read in one statement. @returns for each group, crashes by slot */
export async function groupSeries(
  db: Db,
  groupIds: readonly number[],
  range: SeriesRange,
  filter: SeriesFilter,
) {
  const rows = await db.$queryRaw<Array<{ groupId: number; slot: number; count: number | bigint }>>`
    SELECT s."groupId", t."slot", sum(t."count") AS "count"
    FROM "CrashSignature" s JOIN "CrashTally" t ON t."signatureId" = s."id"
    WHERE s."groupId" IN (${Prisma.join([...groupIds])}) AND ${within(range)} AND ${matching(filter, 'all of a signature')}
    GROUP BY s."groupId", t."slot"`;
  const byGroup = new Map<number, Map<number, number>>(groupIds.map((id) => [id, new Map()]));
  for (const { groupId, slot, count } of rows) byGroup.get(groupId)?.set(Number(slot), Number(count));
  return byGroup;
}

function localRange(
  { from, to, timeZone }: { from: Date | null | undefined; to: Date | null | undefined; timeZone: string },
  now: Date,
): SeriesRange {
  const days = localDays(timeZone, {
    from: from ?? null,
    last: to == null ? now : new Date(to.getTime() - 1),
    count: DEFAULT_SLOTS.DAY,
  });
  const [first] = days;
  if (first === undefined)
    throw badInput('The end of a time series, "to", must be later than its start, "from".', { field: 'to' });
  const lastSlot = Math.max(...days.map((day) => day.lastSlot));
  return { unit: 'HOUR', firstSlot: first.firstSlot, lastSlot, days };
}

/** One entry for each slot or day of the range, with zero where nothing crashed. */
export function zeroFilled(range: SeriesRange, counts: ReadonlyMap<number, number>) {
  const { unit, firstSlot, lastSlot, days } = range;
  if (days !== undefined) {
    return days.map(({ start, firstSlot: from, lastSlot: to }) => {
      let count = 0;
      for (let slot = from; slot <= to; slot += 1) count += counts.get(slot) ?? 0;
      return { start, count };
    });
  }
  return Array.from({ length: lastSlot - firstSlot + 1 }, (_, index) => ({
    start: new Date((firstSlot + index) * SLOT_MS[unit]),
    count: counts.get(firstSlot + index) ?? 0,
  }));
}

function slotOf(at: Date, unit: TimeUnit): number {
  return Math.floor(at.getTime() / SLOT_MS[unit]);
}

/** The hours or days of a range. */
export function within({ unit, firstSlot, lastSlot }: SeriesRange): Prisma.Sql {
  return Prisma.sql`t."unit" = ${unit} AND t."slot" BETWEEN ${firstSlot} AND ${lastSlot}`;
}

/**
 * A crash is counted in several series. Selects those that count each crash of the filter exactly once: the fewest rows
 * (`all`), or those that tell its model or its version too.
 */
export function matching(
  { modelIds, firmwareVersions }: SeriesFilter,
  rows: 'all' | 'all of a signature' | 'model' | 'version',
): Prisma.Sql {
  if (modelIds?.length === 0 || firmwareVersions?.length === 0) return Prisma.sql`1 = 0`;
  const models = modelIds === undefined ? Prisma.sql`t."modelId" <> ${ALL}` : ofModels(modelIds);
  if (firmwareVersions !== undefined) {
    return Prisma.sql`t."firmwareVersion" IN (${Prisma.join([...firmwareVersions])}) AND ${models}`;
  }
  if (rows === 'version' || (rows === 'all of a signature' && modelIds !== undefined)) {
    return Prisma.sql`t."firmwareVersion" <> ${ALL_VERSIONS} AND ${models}`;
  }
  const ofAllModels = modelIds === undefined && rows !== 'model';
  return Prisma.sql`t."firmwareVersion" = ${ALL_VERSIONS} AND ${ofAllModels ? Prisma.sql`t."modelId" = ${ALL}` : models}`;
}

function ofModels(ids: readonly number[]): Prisma.Sql {
  return Prisma.sql`t."modelId" IN (${Prisma.join([...ids])})`;
}
