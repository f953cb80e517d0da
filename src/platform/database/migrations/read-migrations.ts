import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrationsFolder } from '../../program-files.js';

export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the SQL, hexadecimal, as Prisma records it. */
  checksum: string;
}

/** The record of an applied migration in `_prisma_migrations`. */
export interface MigrationRecord {
  name: string;
  checksum: string;
}

/** In the order in which they are applied. */
export function readMigrations(database: 'sqlite' | 'postgresql'): Migration[] {
  const folder = migrationsFolder(database);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map((entry) => {
      const sql = readFileSync(join(folder, entry.name, 'migration.sql'), 'utf8');
      return { name: entry.name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The migrations that are not applied yet.
 *
 * @throws Error with one clear sentence when the database is of a newer version or a migration was changed
 */
export function missingMigrations(
  recorded: readonly MigrationRecord[],
  migrations: readonly Migration[],
): Migration[] {
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
  return migrations.filter(({ name }) => !recorded.some((record) => record.name === name));
}
