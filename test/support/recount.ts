import { ARCHIVE, openSql, type Sql } from './recount-sql.js';

/**
 * Counts every crash again, by SQL of its own and from nothing but the rows of dumps and occurrences, and compares
 * that with what the server has counted. To be called when nothing is being counted; several servers may be up.
 *
 * Counters go on counting dumps that are gone, whose rows cannot be counted any more. So without `keepDeleted` counters
 * may be larger than what is counted again, and agree among themselves; with it they must be equal.
 *
 * @param databaseUrl `file:PATH` or `postgresql://…`, as in DATABASE_URL; only read
 * @returns a sentence for each difference; none when all is right
 */
export async function recount(databaseUrl: string): Promise<string[]> {
  const sql = await openSql(databaseUrl);
  try {
    const archive = await sql.rows(sql.tablesNamed(ARCHIVE));
    const isExact = archive.length > 0;
    const differences: string[] = [];
    for (const { what, query } of checks(sql, isExact)) {
      for (const row of await sql.rows(query)) differences.push(`${what}: ${JSON.stringify(row)}`);
    }
    return [...differences, ...(await rateDifferences(sql))];
  } finally {
    await sql.close();
  }
}

interface Check {
  what: string;
  /** Answers a row for each difference. */
  query: string;
}

/** What was counted once for each dump: kept ones by their occurrence, deleted ones as they were then. */
function crashes(isExact: boolean): string {
  const kept = `SELECT c."id", c."deviceId", c."chip", c."uploadedAt", o."signatureId", o."modelId",
      o."firmwareVersion" FROM "CrashOccurrence" o JOIN "Coredump" c ON c."id" = o."coredumpId"`;
  return `crash AS (${kept}${isExact ? ` UNION ALL SELECT * FROM "${ARCHIVE}"` : ''})`;
}

function checks(sql: Sql, isExact: boolean): Check[] {
  const slot = (unit: 'HOUR' | 'DAY') => sql.slot('"uploadedAt"', unit === 'HOUR' ? 3_600_000 : 86_400_000);
  /** Stored counters against crashes, both by the same key. */
  const compare = (what: string, key: string, stored: string, counted: string): Check => ({
    what,
    query: `WITH ${crashes(isExact)}
      SELECT ${key}, sum("stored") AS "stored", sum("counted") AS "counted" FROM (
        SELECT ${key}, "count" AS "stored", 0 AS "counted" FROM (${stored}) s
        UNION ALL SELECT ${key}, 0, 1 FROM (${counted}) c) both_of_them
      GROUP BY ${key} HAVING sum("stored") ${isExact ? '<>' : '<'} sum("counted")`,
  });
  /** Two sets of counters that count the same. */
  const agree = (what: string, key: string, one: string, other: string): Check => ({
    what,
    query: `SELECT ${key}, sum("one") AS "one", sum("other") AS "other" FROM (
        SELECT ${key}, "count" AS "one", 0 AS "other" FROM (${one}) a
        UNION ALL SELECT ${key}, 0, "count" FROM (${other}) b) both_of_them
      GROUP BY ${key} HAVING sum("one") <> sum("other")`,
  });
  const bySignature = `SELECT "id" AS "signatureId", "count" FROM "CrashSignature"`;
  const known = `SELECT * FROM crash WHERE "signatureId" IS NOT NULL`;
  const series = (unit: 'HOUR' | 'DAY', where: string) =>
    `SELECT * FROM "CrashTally" WHERE "unit" = '${unit}' AND ${where}`;

  return [
    compare('crashes of a signature', '"signatureId"', bySignature, known),
    compare(
      'crashes of a variant',
      '"signatureId", "modelId", "firmwareVersion", "chip"',
      'SELECT * FROM "CrashVariant"',
      known,
    ),
    compare('crashes of a device', '"signatureId", "deviceId"', 'SELECT * FROM "CrashDevice"', known),
    compare(
      'crashes of a version on a device',
      '"modelId", "firmwareVersion", "deviceId"',
      'SELECT * FROM "VersionDevice"',
      'SELECT * FROM crash',
    ),
    ...(['HOUR', 'DAY'] as const).flatMap((unit) => [
      compare(
        `fleet by ${unit}`,
        '"slot"',
        series(unit, `"signatureId" = 0 AND "firmwareVersion" = '' AND "modelId" = 0`),
        `SELECT ${slot(unit)} AS "slot" FROM crash`,
      ),
      compare(
        `model by ${unit}`,
        '"modelId", "slot"',
        series(unit, `"signatureId" = 0 AND "firmwareVersion" = '' AND "modelId" <> 0`),
        `SELECT "modelId", ${slot(unit)} AS "slot" FROM crash`,
      ),
      compare(
        `version by ${unit}`,
        '"modelId", "firmwareVersion", "slot"',
        series(unit, `"signatureId" = 0 AND "firmwareVersion" <> ''`),
        `SELECT "modelId", "firmwareVersion", ${slot(unit)} AS "slot" FROM crash`,
      ),
      compare(
        `signature by ${unit}`,
        '"signatureId", "slot"',
        series(unit, `"signatureId" <> 0 AND "firmwareVersion" = '' AND "modelId" = 0`),
        `SELECT "signatureId", ${slot(unit)} AS "slot" FROM (${known}) k`,
      ),
      compare(
        `version of a signature by ${unit}`,
        '"signatureId", "modelId", "firmwareVersion", "slot"',
        series(unit, `"signatureId" <> 0 AND "firmwareVersion" <> ''`),
        `SELECT "signatureId", "modelId", "firmwareVersion", ${slot(unit)} AS "slot" FROM (${known}) k`,
      ),
    ]),
    agree(
      'a group and its signatures',
      '"groupId"',
      'SELECT "id" AS "groupId", "count" FROM "CrashGroup"',
      'SELECT "groupId", "count" FROM "CrashSignature"',
    ),
    agree(
      'the devices of a group and of its signatures',
      '"groupId"',
      'SELECT "id" AS "groupId", "deviceCount" AS "count" FROM "CrashGroup"',
      `SELECT s."groupId", count(DISTINCT x."deviceId") AS "count" FROM "CrashSignature" s
        JOIN "CrashDevice" x ON x."signatureId" = s."id" GROUP BY s."groupId"`,
    ),
    ...['"CrashVariant"', '"CrashDevice"'].map((table) =>
      agree(`a signature and ${table}`, '"signatureId"', bySignature, `SELECT * FROM ${table}`),
    ),
    ...(['HOUR', 'DAY'] as const).flatMap((unit) => [
      agree(
        `a signature and its ${unit}s`,
        '"signatureId"',
        bySignature,
        series(unit, `"signatureId" <> 0 AND "modelId" = 0`),
      ),
      agree(
        `a signature and its versions' ${unit}s`,
        '"signatureId"',
        bySignature,
        series(unit, `"signatureId" <> 0 AND "modelId" <> 0`),
      ),
      agree(
        `the fleet's ${unit}s and those of models`,
        '"slot"',
        series(unit, `"signatureId" = 0 AND "modelId" = 0`),
        series(unit, `"signatureId" = 0 AND "modelId" <> 0 AND "firmwareVersion" = ''`),
      ),
      agree(
        `a version's ${unit}s and its devices`,
        '"modelId", "firmwareVersion"',
        series(unit, `"signatureId" = 0 AND "firmwareVersion" <> ''`),
        'SELECT * FROM "VersionDevice"',
      ),
    ]),
    {
      what: 'the days of a device',
      query: `WITH ${crashes(isExact)}, counted AS (
          SELECT DISTINCT ${slot('DAY')} AS "slot", "modelId", "deviceId" FROM crash)
        SELECT 'is missing' AS "row", * FROM (
          SELECT * FROM counted EXCEPT SELECT "slot", "modelId", "deviceId" FROM "CrashDay") missing
        UNION ALL SELECT 'is too many', * FROM (
          SELECT "slot", "modelId", "deviceId" FROM "CrashDay" EXCEPT SELECT * FROM counted) extra
        WHERE ${isExact ? '1 = 1' : '1 = 0'}`,
    },
    {
      // Days of long ago are removed, the oldest first.
      what: 'the crashes of a version on a day of a device',
      query: `WITH ${crashes(isExact)}, counted AS (
          SELECT ${slot('DAY')} AS "slot", "modelId", "firmwareVersion", "deviceId", 1 AS "counted", 0 AS "stored"
          FROM crash)
        SELECT "slot", "modelId", "firmwareVersion", "deviceId", sum("stored") AS "stored", sum("counted") AS "counted"
        FROM (SELECT * FROM counted UNION ALL
          SELECT "slot", "modelId", "firmwareVersion", "deviceId", 0, "crashes" FROM "DeviceDay") both_of_them
        WHERE "slot" >= (SELECT min("slot") FROM "DeviceDay")
        GROUP BY "slot", "modelId", "firmwareVersion", "deviceId"
        HAVING sum("stored") ${isExact ? '<>' : '<'} sum("counted")`,
    },
    {
      what: 'a merged group that is there',
      query: `SELECT m."id", m."intoId" FROM "MergedGroup" m JOIN "CrashGroup" g ON g."id" = m."id"`,
    },
    {
      what: 'a merged group whose fingerprints are all in another group than the one that answers for it',
      query: `SELECT m."id", m."intoId", min(s."groupId") AS "groupId" FROM "MergedGroup" m
        JOIN "CrashSignature" s ON s."fromGroupId" = m."id" GROUP BY m."id", m."intoId"
        HAVING min(s."groupId") = max(s."groupId") AND min(s."groupId") <> m."intoId"
          AND NOT EXISTS (SELECT 1 FROM "MergedGroup" b WHERE b."takenById" = m."id")`,
    },
    {
      what: 'a group without a fingerprint',
      query: `SELECT g."id", g."title" FROM "CrashGroup" g
        WHERE NOT EXISTS (SELECT 1 FROM "CrashSignature" s WHERE s."groupId" = g."id")`,
    },
    {
      what: 'a signature without a crash',
      query: `SELECT "id", "fingerprint", "count" FROM "CrashSignature" WHERE "count" <= 0`,
    },
    {
      what: 'a group that says it was seen for a shorter time than its signatures',
      query: `SELECT DISTINCT g."id" FROM "CrashGroup" g JOIN "CrashSignature" s ON s."groupId" = g."id"
        WHERE s."firstSeenAt" < g."firstSeenAt" OR s."lastSeenAt" > g."lastSeenAt"`,
    },
    {
      what: 'the bytes of stored dumps',
      query: `SELECT * FROM (SELECT
          (SELECT COALESCE(sum("bytes"), 0) FROM "StoredBytes") AS "stored",
          (SELECT COALESCE(sum(c."size"), 0) FROM "Coredump" c
            WHERE c."id" NOT IN (SELECT "coredumpId" FROM "RemovedRaw")) AS "counted") b
        WHERE b."stored" <> b."counted"`,
    },
    {
      what: 'a rule that points nowhere',
      query: `SELECT r."id", r."name", r."groupId", r."modelId" FROM "AlertRule" r
        WHERE (r."groupId" IS NOT NULL AND r."groupId" NOT IN (SELECT "id" FROM "CrashGroup"))
          OR (r."modelId" IS NOT NULL AND r."modelId" NOT IN (SELECT "id" FROM "DeviceModel"))`,
    },
    {
      // A dump that nobody has read yet is counted when it is read, or when it goes.
      what: 'a dump that was not counted',
      query: `SELECT c."id", c."parseStatus", c."parseGeneration" FROM "Coredump" c
        WHERE NOT (c."parseStatus" = 'PENDING' AND c."parseGeneration" = 0)
          AND NOT EXISTS (SELECT 1 FROM "CrashOccurrence" o WHERE o."coredumpId" = c."id")`,
    },
    {
      what: 'a dump that was counted for another version than it shows',
      query: `SELECT c."id", c."crashVersion", o."firmwareVersion" AS "counted" FROM "Coredump" c
        JOIN "CrashOccurrence" o ON o."coredumpId" = c."id" WHERE c."crashVersion" <> o."firmwareVersion"`,
    },
    {
      what: 'a dump without a version',
      query: `SELECT c."id" FROM "Coredump" c WHERE c."crashVersion" = ''`,
    },
    {
      what: 'a dump that was counted for another crash than it was read as',
      query: `SELECT c."id", c."fingerprint", s."fingerprint" AS "counted" FROM "Coredump" c
        JOIN "CrashOccurrence" o ON o."coredumpId" = c."id"
        LEFT JOIN "CrashSignature" s ON s."id" = o."signatureId"
        WHERE c."parseStatus" = 'PARSED' AND COALESCE(c."fingerprint", '') <> COALESCE(s."fingerprint", '')`,
    },
  ];
}

const HOURS_A_DAY = 24;
/** Of the binary logarithm: far less than a crash more or less would make of a few dozen. */
const RATE_TOLERANCE = 0.01;

/** A group's rate must lie between what its hours give if every crash came at the beginning of its hour, or at its end. */
async function rateDifferences(sql: Sql): Promise<string[]> {
  const groups = await sql.rows('SELECT "id", "heat" FROM "CrashGroup"');
  const hours =
    await sql.rows(`SELECT s."groupId", t."slot", sum(t."count") AS "count" FROM "CrashSignature" s
    JOIN "CrashTally" t ON t."signatureId" = s."id"
    WHERE t."unit" = 'HOUR' AND t."modelId" = 0 GROUP BY s."groupId", t."slot" HAVING sum(t."count") > 0`);
  return groups.flatMap(({ id, heat }) => {
    const ofGroup = hours.filter(({ groupId }) => groupId === id);
    if (ofGroup.length === 0) return [];
    const newest = Math.max(...ofGroup.map(({ slot }) => Number(slot)));
    const weight = ofGroup
      .map(({ slot, count }) => Number(count) * 2 ** ((Number(slot) - newest) / HOURS_A_DAY))
      .reduce((sum, each) => sum + each, 0);
    const least = newest / HOURS_A_DAY + Math.log2(weight);
    const isRight =
      Number(heat) > least - RATE_TOLERANCE && Number(heat) < least + 1 / HOURS_A_DAY + RATE_TOLERANCE;
    return isRight ? [] : [`the rate of a group: ${JSON.stringify({ id, heat, expected: least })}`];
  });
}
