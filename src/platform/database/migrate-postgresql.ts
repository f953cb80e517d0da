import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Migration, type MigrationRecord, missingMigrations, readMigrations } from './migrations.js';
import { migrateJobs } from './postgresql-jobs.js';

/** The advisory lock that Prisma's own migrate commands take, so that the two exclude each other as well. */
const PRISMA_MIGRATE_LOCK = 72_707_369;

/**
 * Applies what is missing of prisma/postgresql/migrations and records it in `_prisma_migrations` as
 * `prisma migrate deploy` would: all of it in one transaction, while servers that start at the same time wait. Then the
 * shared queue's own tables, under the same lock.
 *
 * @returns the names of the migrations that were applied now
 * @throws Error when the database belongs to a newer program, a migration was changed, or a statement fails
 */
export async function migratePostgresql(config: pg.ClientConfig): Promise<string[]> {
  const client = new pg.Client(config);
  // A connection that breaks while nothing is asked of it must not end the process: the next question says so.
  client.on('error', () => {});
  await client.connect();
  try {
    // Held by the connection, and lifted with it, however it ends.
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_MIGRATE_LOCK]);
    await requirePublicSchema(client);
    await client.query('BEGIN');
    const applied = await applyMissing(client, readMigrations('postgresql'));
    await client.query('COMMIT');
    await migrateJobs(client);
    return applied;
  } finally {
    await client.end();
  }
}

/** Prisma's queries name the schema `public`; migrations and our own queries must mean the same one. */
async function requirePublicSchema(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ schema: string | null }>('SELECT current_schema() AS schema');
  const schema = rows[0]?.schema ?? null;
  if (schema === 'public') return;
  throw new Error(
    `its tables are in the schema "public", and the role's search_path begins with "${schema}"`,
  );
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[]): Promise<string[]> {
  await createRecords(client);
  const { rows: recorded } = await client.query<MigrationRecord>(
    'SELECT migration_name AS name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  const missing = missingMigrations(recorded, migrations);
  for (const { name, sql, checksum } of missing) {
    const startedAt = new Date();
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, $5, 1)`,
      [randomUUID(), checksum, name, startedAt, new Date()],
    );
  }
  return missing.map(({ name }) => name);
}

/** Prisma's own table, as its schema engine creates it on PostgreSQL. */
async function createRecords(client: pg.Client): Promise<void> {
  // Asked first: a role that may not create tables may still use a database that somebody else has migrated.
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`,
  );
  if (rows[0]?.exists === true) return;
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
