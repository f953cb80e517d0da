import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { createDatabase, dropDatabase } from '../../src/tools/postgresql-cluster.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the cluster that the tests with PostgreSQL use; null when this machine has none; absent with SQLite. */
    postgresql: string | null;
  }
}

/**
 * The URL of a database of its own: a file in `dir`, or an empty database of the run's PostgreSQL server, whichever
 * this project of vitest.config.ts is about. It is gone when the test is.
 */
export async function aDatabaseUrl(dir: string): Promise<string> {
  const server = inject('postgresql');
  if (server === undefined) return `file:${join(dir, 'coredock.db')}`;
  if (server === null) throw new Error('a test needs PostgreSQL and was not skipped');
  const url = await createDatabase(server);
  onTestFinished(() => dropDatabase(url));
  return url;
}
