import { MAX_ROW_ID } from '../global-ids.js';
import type { PageWindow } from '../platform/database/children.js';
import { Prisma } from '../platform/database/client.js';
import { oneOf } from '../platform/database/one-of.js';
import { containsWords } from '../platform/database/text-search.js';
import type { Db } from '../platform/database/types.js';
import type { Firmware, FirmwareFilter } from './types.js';

/** Queries over builds, in SQL that SQLite and PostgreSQL both accept. "f" is the table alias of the build. */

export type FirmwareQueries = ReturnType<typeof createFirmwareQueries>;

const COLUMNS = Prisma.raw(
  [
    'id',
    'modelId',
    'version',
    'chip',
    'elfSha256',
    'size',
    'uploadedAt',
    'updatedAt',
    'elfVersion',
    'warnings',
    'revision',
  ]
    .map((name) => `f."${name}"`)
    .join(', '),
);

/** Builds of all models. */
export function createFirmwareQueries(db: Db) {
  return {
    /** Newest first, from whichever end the window is taken. */
    async list(filter: FirmwareFilter, window: PageWindow): Promise<Firmware[]> {
      const direction = directionOf(window);
      const rows = await db.lookup<Firmware>(Prisma.sql`
        SELECT ${COLUMNS} FROM "Firmware" f WHERE ${conditions(filter)} AND ${within(window)}
        ORDER BY f."id" ${direction} LIMIT ${window.take}`);
      return window.fromEnd === true ? rows.reverse() : rows;
    },

    async count(filter: FirmwareFilter): Promise<number> {
      const [row] = await db.lookup<{ count: number | bigint }>(Prisma.sql`
        SELECT count(*) AS "count" FROM "Firmware" f WHERE ${conditions(filter)}`);
      return Number(row?.count ?? 0);
    },
  };
}

/** The same window of each model's builds, in one statement. */
export async function listFirmwaresOfModels(
  db: Db,
  modelIds: readonly number[],
  filter: FirmwareFilter,
  window: PageWindow,
): Promise<Map<number, Firmware[]>> {
  const rows = await db.lookup<Firmware>(Prisma.sql`
    SELECT ${COLUMNS} FROM (
      SELECT ${COLUMNS}, row_number() OVER (PARTITION BY f."modelId" ORDER BY f."id" ${directionOf(window)}) AS "rank"
      FROM "Firmware" f
      WHERE f."modelId" IN (${Prisma.join([...modelIds])}) AND ${conditions(filter)} AND ${within(window)}
    ) f WHERE f."rank" <= ${window.take} ORDER BY f."id" DESC`);
  const byModel = new Map<number, Firmware[]>(modelIds.map((id) => [id, []]));
  for (const row of rows) byModel.get(row.modelId)?.push(row);
  return byModel;
}

export async function countFirmwaresOfModels(
  db: Db,
  modelIds: readonly number[],
  filter: FirmwareFilter,
): Promise<Map<number, number>> {
  const rows = await db.lookup<{ modelId: number; count: number | bigint }>(Prisma.sql`
    SELECT f."modelId", count(*) AS "count" FROM "Firmware" f
    WHERE f."modelId" IN (${Prisma.join([...modelIds])}) AND ${conditions(filter)} GROUP BY f."modelId"`);
  return new Map(rows.map(({ modelId, count }) => [modelId, Number(count)]));
}

function conditions(filter: FirmwareFilter): Prisma.Sql {
  const { modelCode, version, chip, elfSha256, uploadedAfter, uploadedBefore, search, isLost } = filter;
  const all = [
    oneOf(Prisma.sql`(SELECT m."code" FROM "DeviceModel" m WHERE m."id" = f."modelId")`, modelCode),
    oneOf(Prisma.sql`f."version"`, version),
    oneOf(Prisma.sql`f."chip"`, chip),
    elfSha256 === undefined ? null : beginsWithOneOf(elfSha256),
    uploadedAfter === undefined ? null : Prisma.sql`f."uploadedAt" >= ${uploadedAfter}`,
    uploadedBefore === undefined ? null : Prisma.sql`f."uploadedAt" < ${uploadedBefore}`,
    isLost === undefined ? null : isElfLost(isLost),
    ...containsWords(search ?? '', inBuildOrModel),
  ].filter((condition) => condition !== null);
  return all.length === 0 ? Prisma.sql`1 = 1` : Prisma.join(all, ' AND ');
}

function within({ beforeId = MAX_ROW_ID + 1, afterId = 0 }: PageWindow): Prisma.Sql {
  return Prisma.sql`f."id" > ${afterId} AND f."id" <= ${beforeId - 1}`;
}

function directionOf({ fromEnd }: PageWindow): Prisma.Sql {
  return fromEnd === true ? Prisma.sql`ASC` : Prisma.sql`DESC`;
}

function beginsWithOneOf(prefixes: readonly string[]): Prisma.Sql {
  if (prefixes.length === 0) return Prisma.sql`1 = 0`;
  const each = prefixes.map((prefix) => Prisma.sql`substr(f."elfSha256", 1, ${prefix.length}) = ${prefix}`);
  return Prisma.sql`(${Prisma.join(each, ' OR ')})`;
}

function isElfLost(wanted: boolean): Prisma.Sql {
  const lost = Prisma.sql`(SELECT l."firmwareId" FROM "LostElf" l WHERE l."firmwareId" = f."id")`;
  return wanted ? Prisma.sql`${lost} IS NOT NULL` : Prisma.sql`${lost} IS NULL`;
}

function inBuildOrModel(isIn: (column: Prisma.Sql) => Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    ${isIn(Prisma.sql`f."version"`)} OR ${isIn(Prisma.sql`f."chip"`)} OR ${isIn(Prisma.sql`f."elfSha256"`)}
    OR (SELECT ${isIn(Prisma.sql`m."code"`)} OR ${isIn(Prisma.sql`m."name"`)} FROM "DeviceModel" m
      WHERE m."id" = f."modelId"))`;
}
