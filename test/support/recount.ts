import { DatabaseSync } from '@photostructure/sqlite';
import pg from 'pg';

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
  const sql = await open(databaseUrl);
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

/**
 * From now on the database remembers the dumps that are deleted, in a table of its own, so that `recount` is exact. To
 * be called before the first dump is deleted; a second call does nothing.
 */
export async function keepDeleted(databaseUrl: string): Promise<void> {
  const sql = await open(databaseUrl);
  try {
    await sql.run(sql.keepDeleted);
  } finally {
    await sql.close();
  }
}

const ARCHIVE = 'RecountArchive';

/** Of a dump that is about to be deleted, whatever deletes it: what was counted of it, or what should be. */
const ARCHIVED = `SELECT old."id", old."deviceId", old."chip", old."uploadedAt",
  (SELECT o."signatureId" FROM "CrashOccurrence" o WHERE o."coredumpId" = old."id"),
  COALESCE((SELECT o."modelId" FROM "CrashOccurrence" o WHERE o."coredumpId" = old."id"),
    (SELECT d."modelId" FROM "Device" d WHERE d."id" = old."deviceId")),
  COALESCE((SELECT o."firmwareVersion" FROM "CrashOccurrence" o WHERE o."coredumpId" = old."id"),
    old."firmwareVersion")`;

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

type SqlRow = Record<string, unknown>;

interface Sql {
  rows(query: string): Promise<SqlRow[]>;
  run(script: string): Promise<void>;
  /** SQL: hours or days since 1970 of a column. */
  slot(column: string, ms: number): string;
  tablesNamed(name: string): string;
  /** SQL that makes the archive and what fills it. */
  keepDeleted: string;
  close(): Promise<void>;
}

async function open(databaseUrl: string): Promise<Sql> {
  return databaseUrl.startsWith('file:')
    ? openSqlite(databaseUrl.slice('file:'.length))
    : openPostgresql(databaseUrl);
}

const LOCKED_MS = 10_000;

function openSqlite(file: string): Sql {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${LOCKED_MS}`);
  // One state of all tables, also while a server writes.
  database.exec('BEGIN');
  return {
    rows: async (query) =>
      database
        .prepare(query)
        .all()
        .map((row) => ({ ...(row as SqlRow) })),
    async run(script) {
      database.exec('COMMIT');
      database.exec(script);
      database.exec('BEGIN');
    },
    slot: (column, ms) => `(${column} / ${ms})`,
    tablesNamed: (name) => `SELECT name FROM sqlite_master WHERE type = 'table' AND name = '${name}'`,
    keepDeleted: `
      CREATE TABLE IF NOT EXISTS "${ARCHIVE}" ("id" INTEGER, "deviceId" INTEGER, "chip" TEXT, "uploadedAt" DATETIME,
        "signatureId" INTEGER, "modelId" INTEGER, "firmwareVersion" TEXT);
      CREATE TRIGGER IF NOT EXISTS "${ARCHIVE}" BEFORE DELETE ON "Coredump" BEGIN
        INSERT INTO "${ARCHIVE}" ${ARCHIVED};
      END;`,
    async close() {
      database.exec('COMMIT');
      database.close();
    },
  };
}

async function openPostgresql(url: string): Promise<Sql> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  return {
    rows: async (query) => (await client.query<SqlRow>(query)).rows,
    async run(script) {
      await client.query('COMMIT');
      await client.query(script);
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    },
    slot: (column, ms) => `floor(extract(epoch FROM ${column}) * 1000 / ${ms})::int`,
    tablesNamed: (name) =>
      `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = '${name}'`,
    keepDeleted: `
      CREATE TABLE IF NOT EXISTS "${ARCHIVE}" ("id" integer, "deviceId" integer, "chip" text,
        "uploadedAt" timestamp(3), "signatureId" integer, "modelId" integer, "firmwareVersion" text);
      CREATE OR REPLACE FUNCTION recount_archive() RETURNS trigger AS $$
        BEGIN INSERT INTO "${ARCHIVE}" ${ARCHIVED}; RETURN old; END $$ LANGUAGE plpgsql;
      DROP TRIGGER IF EXISTS "${ARCHIVE}" ON "Coredump";
      CREATE TRIGGER "${ARCHIVE}" BEFORE DELETE ON "Coredump" FOR EACH ROW EXECUTE FUNCTION recount_archive();`,
    async close() {
      await client.query('COMMIT');
      await client.end();
    },
  };
}
