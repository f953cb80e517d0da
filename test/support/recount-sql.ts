import { DatabaseSync } from '@photostructure/sqlite';
import pg from 'pg';

/**
 * From now on the database remembers the dumps that are deleted, in a table of its own, so that `recount` is exact. To
 * be called before the first dump is deleted; a second call does nothing.
 */
export async function keepDeleted(databaseUrl: string): Promise<void> {
  const sql = await openSql(databaseUrl);
  try {
    await sql.run(sql.keepDeleted);
  } finally {
    await sql.close();
  }
}

export const ARCHIVE = 'RecountArchive';

/** Of a dump that is about to be deleted, whatever deletes it: what was counted of it, or what should be. */
const ARCHIVED = `SELECT old."id", old."deviceId", old."chip", old."uploadedAt",
  (SELECT o."signatureId" FROM "CrashOccurrence" o WHERE o."coredumpId" = old."id"),
  COALESCE((SELECT o."modelId" FROM "CrashOccurrence" o WHERE o."coredumpId" = old."id"),
    (SELECT d."modelId" FROM "Device" d WHERE d."id" = old."deviceId")),
  COALESCE((SELECT o."firmwareVersion" FROM "CrashOccurrence" o WHERE o."coredumpId" = old."id"),
    old."crashVersion")`;

type SqlRow = Record<string, unknown>;

export interface Sql {
  rows(query: string): Promise<SqlRow[]>;
  run(script: string): Promise<void>;
  /** SQL: hours or days since 1970 of a column. */
  slot(column: string, ms: number): string;
  tablesNamed(name: string): string;
  /** SQL that makes the archive and what fills it. */
  keepDeleted: string;
  close(): Promise<void>;
}

/** @param databaseUrl `file:PATH` or `postgresql://…`, as in DATABASE_URL */
export async function openSql(databaseUrl: string): Promise<Sql> {
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
