import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { createDatabase, dropDatabase } from '../../src/tools/postgresql-cluster.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the cluster that the tests with PostgreSQL use; null when this machine has none; absent with SQLite. */
    postgresql: string | null;
    /** What a migrated database is copied from: a file with SQLite, a database of the cluster with PostgreSQL. */
    migrated: string | undefined;
  }
}

/**
 * The URL of a database of its own: a file in `dir`, or an empty database of the run's PostgreSQL server, whichever
 * this project of vitest.config.ts is about. It is gone when the test is.
 */
export async function aDatabaseUrl(dir: string): Promise<string> {
  const server = inject('postgresql');
  return server === undefined ? fileUrl(dir) : aPostgresqlUrl(server);
}

/** The same with its tables made already, for tests that are not about how they are made. */
export async function aMigratedDatabaseUrl(dir: string): Promise<string> {
  const server = inject('postgresql');
  if (server !== undefined) return aPostgresqlUrl(server, inject('migrated'));
  const template = inject('migrated');
  if (template !== undefined) await copyFile(template, join(dir, FILE));
  return fileUrl(dir);
}

const FILE = 'coredock.db';
const fileUrl = (dir: string) => `file:${join(dir, FILE)}`;

async function aPostgresqlUrl(server: string | null, template?: string): Promise<string> {
  if (server === null) throw new Error('a test needs PostgreSQL and was not skipped');
  const url = await createDatabase(server, template);
  onTestFinished(() => dropDatabase(url));
  return url;
}
