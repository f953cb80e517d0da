import { randomUUID } from 'node:crypto';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { type Migration, missingMigrations, readMigrations } from '../migrations/read-migrations.js';
import { openConnection } from './connection.js';

/**
 * Applies the missing migrations of prisma/sqlite/migrations, in one transaction under the write lock, and records them
 * in `_prisma_migrations` as `prisma migrate deploy` does.
 *
 * @returns the names of the migrations that were applied now
 * @throws Error with one clear sentence when the database is of a newer version or a migration was changed
 */
export function migrateSqlite(file: string): string[] {
  const database = openConnection(file);
  try {
    database.exec('BEGIN IMMEDIATE');
    try {
      const applied = applyMissing(database, readMigrations('sqlite'));
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
  const missing = missingMigrations(recorded, migrations);
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
