import { Prisma } from '../platform/database/client.js';
import { containsWords } from '../platform/database/text-search.js';
import type { Db } from '../platform/database/types.js';

/** What a filter may be filled with. */
const SUGGESTED = ['VERSION', 'MODEL', 'DEVICE', 'TASK', 'CHIP', 'REASON', 'ASSIGNEE'] as const;
export type Suggested = (typeof SUGGESTED)[number];

export interface SuggestionQuestion {
  of: Suggested;
  /** What was typed so far: it occurs in the value, in upper or lower case. */
  text?: string;
  /** Only values of this model, where they belong to one. */
  modelCode?: string;
  take: number;
}

export interface Suggestion {
  value: string;
  /** What people call it, where that is something else. */
  label: string | null;
  count: number;
}

/** Different values of a column that are looked at: a fleet has fewer versions and tasks. */
const MOST_VALUES = 500;
/** Dumps of one value are counted up to this number. */
const MOST_DUMPS = 1_000;
/** Devices that match are compared by their crashes up to this number. */
const MOST_DEVICES = 200;

/**
 * Values for filters, those with the most crashes first. Each field has one statement whose work is bounded, however many
 * dumps there are: the different values of an index are found by jumping from one to the next.
 */
export function createSuggestions(db: Db) {
  return async function suggest({
    of,
    text = '',
    modelCode,
    take,
  }: SuggestionQuestion): Promise<Suggestion[]> {
    const found = Prisma.join(
      [Prisma.sql`s."count" > 0`, ...containsWords(text, (isIn) => labelOrValue(isIn))],
      ' AND ',
    );
    const rows = await db.lookup<{ value: string; label: string | null; count: number | bigint }>(Prisma.sql`
      ${WITH[of] ?? Prisma.empty}
      SELECT s."value", s."label", s."count" FROM (${SOURCES[of]({ text, model: modelOf(modelCode) })}) s
      WHERE ${found} ORDER BY s."count" DESC, s."value" LIMIT ${take}`);
    return rows.map(({ value, label, count }) => ({ value, label, count: Number(count) }));
  };
}

function labelOrValue(isIn: (column: Prisma.Sql) => Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(${isIn(Prisma.sql`s."value"`)} OR ${isIn(Prisma.sql`coalesce(s."label", '')`)})`;
}

/** The id of a model; null: of all. */
function modelOf(code: string | undefined): Prisma.Sql | null {
  return code === undefined
    ? null
    : Prisma.sql`(SELECT m."id" FROM "DeviceModel" m WHERE m."code" = ${code})`;
}

interface Within {
  text: string;
  model: Prisma.Sql | null;
}

/** The whole fleet has a series for each version and model: src/crash-groups/crash-series.ts. */
const VERSIONS = Prisma.sql`WITH RECURSIVE step("value", "n") AS (
  SELECT (SELECT min(t."firmwareVersion") FROM "CrashTally" t
    WHERE t."signatureId" = 0 AND t."unit" = 'DAY' AND t."firmwareVersion" > ''), 1
  UNION ALL SELECT (SELECT min(t."firmwareVersion") FROM "CrashTally" t
    WHERE t."signatureId" = 0 AND t."unit" = 'DAY' AND t."firmwareVersion" > step."value"), step."n" + 1
  FROM step WHERE step."value" IS NOT NULL AND step."n" < ${MOST_VALUES})`;

const TASKS = Prisma.sql`WITH RECURSIVE step("value", "n") AS (
  SELECT (SELECT min(c."crashedTask") FROM "Coredump" c), 1
  UNION ALL SELECT (SELECT min(c."crashedTask") FROM "Coredump" c WHERE c."crashedTask" > step."value"), step."n" + 1
  FROM step WHERE step."value" IS NOT NULL AND step."n" < ${MOST_VALUES})`;

const WITH: Partial<Record<Suggested, Prisma.Sql>> = { VERSION: VERSIONS, TASK: TASKS };

const NO_LABEL = Prisma.sql`NULL AS "label"`;

/** Rows of value, label and count. */
const SOURCES: Record<Suggested, (within: Within) => Prisma.Sql> = {
  VERSION: ({ model }) => Prisma.sql`
    SELECT step."value", ${NO_LABEL}, (SELECT coalesce(sum(t."count"), 0) FROM "CrashTally" t
      WHERE t."signatureId" = 0 AND t."unit" = 'DAY' AND t."firmwareVersion" = step."value"
        AND ${model === null ? Prisma.sql`1 = 1` : Prisma.sql`t."modelId" = ${model}`}) AS "count"
    FROM step WHERE step."value" IS NOT NULL`,
  MODEL: () => Prisma.sql`
    SELECT m."code" AS "value", m."name" AS "label", 1 + (SELECT coalesce(sum(t."count"), 0) FROM "CrashTally" t
      WHERE t."signatureId" = 0 AND t."unit" = 'DAY' AND t."firmwareVersion" = '' AND t."modelId" = m."id") AS "count"
    FROM "DeviceModel" m`,
  DEVICE: ({ text, model }) => Prisma.sql`
    SELECT d."key" AS "value", coalesce(d."name", d."serial") AS "label", 1 + d."crashCount" AS "count" FROM "Device" d
    WHERE ${Prisma.join(
      [
        model === null ? Prisma.sql`1 = 1` : Prisma.sql`d."modelId" = ${model}`,
        ...containsWords(
          text,
          (isIn) =>
            Prisma.sql`(${isIn(Prisma.sql`d."key"`)} OR ${isIn(Prisma.sql`d."serial"`)} OR ${isIn(Prisma.sql`d."name"`)})`,
        ),
      ],
      ' AND ',
    )} ORDER BY d."id" DESC LIMIT ${MOST_DEVICES}`,
  TASK: () => Prisma.sql`
    SELECT step."value", ${NO_LABEL}, (SELECT count(*) FROM (
      SELECT 1 AS "one" FROM "Coredump" c WHERE c."crashedTask" = step."value" LIMIT ${MOST_DUMPS}) c) AS "count"
    FROM step WHERE step."value" IS NOT NULL`,
  CHIP: ({ model }) => Prisma.sql`
    SELECT v."chip" AS "value", ${NO_LABEL}, sum(v."count") AS "count" FROM "CrashVariant" v
    WHERE ${model === null ? Prisma.sql`1 = 1` : Prisma.sql`v."modelId" = ${model}`} GROUP BY v."chip"`,
  REASON: () => Prisma.sql`
    SELECT g."reasonClass" AS "value", ${NO_LABEL}, sum(g."count") AS "count" FROM "CrashGroup" g
    GROUP BY g."reasonClass"`,
  ASSIGNEE: () => Prisma.sql`
    SELECT g."assignee" AS "value", ${NO_LABEL}, count(*) AS "count" FROM "CrashGroup" g
    WHERE g."assignee" IS NOT NULL GROUP BY g."assignee"`,
};
