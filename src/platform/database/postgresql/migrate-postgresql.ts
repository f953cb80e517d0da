import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  type Migration,
  type MigrationRecord,
  missingMigrations,
  readMigrations,
} from '../migrations/read-migrations.js';
import { connectUntil } from './connect-until.js';
import { migrateJobs } from './jobs.js';

/** The advisory lock of Prisma's own migrate commands, so that both exclude each other. */
const PRISMA_MIGRATE_LOCK = 72_707_369;
/**
 * Long enough for the migrations of a server that starts at the same time. Other transactions may stay open for days.
 */
const LOCK_WAIT_MS = 60_000;
/** SQLSTATE after `lock_timeout`. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Applies the missing migrations of prisma/postgresql/migrations and records them in `_prisma_migrations`, as `prisma
 * migrate deploy` does: all in one transaction, while servers that start at the same time wait. Then it creates the
 * tables of the shared queue, in transactions of pg-boss.
 *
 * @param stop abandons the migration; nothing of it is kept
 * @returns the names of the migrations that were applied now
 * @throws Error when the server is too old, the database is of a newer version, a migration was changed, a statement
 *   fails, or another session holds a lock for too long
 */
export async function migratePostgresql(
  config: pg.ClientConfig,
  { stop, lockWaitMs = LOCK_WAIT_MS }: { stop?: AbortSignal | undefined; lockWaitMs?: number } = {},
): Promise<string[]> {
  const client = new pg.Client(config);
  // An idle connection that breaks must not end the process: the next query reports it.
  client.on('error', () => {});
  // Ends a pending statement with an error.
  const giveUp = () => void client.end().catch(() => {});
  stop?.addEventListener('abort', giveUp, { once: true });
  try {
    await connectUntil(client, stop);
    await requireVersion(client);
    await requirePublicSchema(client);
    const applied = await applyMissing(client, readMigrations('postgresql'), lockWaitMs);
    await migrateJobs(client);
    return applied;
  } finally {
    stop?.removeEventListener('abort', giveUp);
    // `pg` never reports the end of a connection that was abandoned while connecting.
    if (stop?.aborted !== true) await client.end();
  }
}

/** The oldest PostgreSQL that is tested. */
const OLDEST_VERSION = 15;

/** @throws Error when the server is too old. @param client connected */
export async function requireVersion(client: Pick<pg.Client, 'query'>): Promise<void> {
  // As a query: a pooler may answer SHOW itself.
  const { rows } = await client.query<{ number: string; version: string }>(
    "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version",
  );
  const [server] = rows;
  if (server === undefined || Number(server.number) >= OLDEST_VERSION * 10_000) return;
  throw new Error(`its server is PostgreSQL ${server.version}; Coredock needs ${OLDEST_VERSION} or newer`);
}

/** Prisma's queries name the schema `public`; migrations and our own queries must use the same one. */
async function requirePublicSchema(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ schema: string | null }>('SELECT current_schema() AS schema');
  const schema = rows[0]?.schema ?? null;
  if (schema === 'public') return;
  throw new Error(
    `its tables are in the schema "public", and the role's search_path begins with "${schema}"`,
  );
}

async function applyMissing(
  client: pg.Client,
  migrations: readonly Migration[],
  lockWaitMs: number,
): Promise<string[]> {
  // Usually there is nothing to do, and then no lock is needed.
  if ((await findMissing(client, migrations)).length === 0) return [];
  try {
    // A transaction-level lock: a session-level lock would stay behind with a pooler.
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = ${lockWaitMs}`);
    await client.query('SELECT pg_advisory_xact_lock($1)', [PRISMA_MIGRATE_LOCK]);
    await createRecords(client);
    const missing = await findMissing(client, migrations);
    for (const migration of missing) await apply(client, migration);
    await client.query('COMMIT');
    return missing.map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
    throw new Error(
      `its migration has waited ${lockWaitMs / 1000} s for a lock of another session (another server that ` +
        'migrates, `prisma migrate`, pg_dump, an open transaction: see pg_locks); end that session, and start again',
      { cause: error },
    );
  }
}

async function findMissing(client: pg.Client, migrations: readonly Migration[]): Promise<Migration[]> {
  if (!(await hasRecords(client))) return [...migrations];
  const { rows } = await client.query<MigrationRecord>(
    'SELECT migration_name AS name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  return missingMigrations(rows, migrations);
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  const startedAt = new Date();
  await client.query(sql);
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, $4, $5, 1)`,
    [randomUUID(), checksum, name, startedAt, new Date()],
  );
}

async function hasRecords(client: pg.Client): Promise<boolean> {
  // Not by to_regclass: it looks in a cache of its session, which does not learn of a table that another server made
  // while this one waited for the advisory lock.
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_tables
       WHERE schemaname = current_schema() AND tablename = '_prisma_migrations') AS exists`,
  );
  return rows[0]?.exists === true;
}

/** Prisma's own table, as its schema engine creates it on PostgreSQL. */
async function createRecords(client: pg.Client): Promise<void> {
  // Checked first: a role without the right to create tables may use a database that another role has migrated.
  if (await hasRecords(client)) return;
  await client.query(`CREATE TABLE _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`);
}
