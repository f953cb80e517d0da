import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { openConnection } from './sqlite-adapter.js';

/** src/platform/database and dist/platform/database are equally deep below the project's folder. */
const SQLITE_MIGRATIONS = fileURLToPath(new URL('../../../prisma/sqlite/migrations', import.meta.url));

/**
 * Applies what is missing of prisma/sqlite/migrations, in one transaction under the write lock, and records it in
 * `_prisma_migrations` as `prisma migrate deploy` would.
 *
 * @returns the names of the migrations that were applied now
 * @throws Error with one clear sentence when the database belongs to a newer program or a migration was changed
 */
export function migrateSqlite(file: string): string[] {
  const database = openConnection(file);
  try {
    database.exec('BEGIN IMMEDIATE');
    try {
      const applied = applyMissing(database, readMigrations(SQLITE_MIGRATIONS));
      database.exec('COMMIT');
      return applied;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  } finally {
    database.close();
  }
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map((entry) => {
      const sql = readFileSync(join(folder, entry.name, 'migration.sql'), 'utf8');
      return { name: entry.name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function applyMissing(database: DatabaseSyncInstance, migrations: readonly Migration[]): string[] {
  // Prisma's own table, as its schema engine creates it on SQLite.
  database.exec(`CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`);
  const recorded = database
    .prepare('SELECT migration_name AS name, checksum FROM _prisma_migrations WHERE rolled_back_at IS NULL')
    .all()
    .map((row) => ({ name: String(row.name), checksum: String(row.checksum) }));
  refuseStrangers(recorded, migrations);

  const missing = migrations.filter(({ name }) => !recorded.some((record) => record.name === name));
  const record = database.prepare(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES (?, ?, ?, ?, ?, 1)`,
  );
  for (const { name, sql, checksum } of missing) {
    const startedAt = Date.now();
    database.exec(sql);
    record.run(randomUUID(), checksum, name, startedAt, Date.now());
  }
  return missing.map(({ name }) => name);
}

function refuseStrangers(
  recorded: { name: string; checksum: string }[],
  migrations: readonly Migration[],
): void {
  for (const { name, checksum } of recorded) {
    const known = migrations.find((migration) => migration.name === name);
    if (known === undefined) {
      throw new Error(
        `the database has the migration ${name}, which this version does not know: it belongs to a newer version of Coredock`,
      );
    }
    if (known.checksum !== checksum) {
      throw new Error(`the migration ${name} was changed after it was applied to this database`);
    }
  }
}
