import type { TestProject } from 'vitest/node';
import { NO_POSTGRESQL, startPostgresql } from '../../src/tools/postgresql-cluster.js';

/** One PostgreSQL server for all files of the run. */
export default async function setup(project: TestProject) {
  // A new database for each test, hundreds in all: no machine loses its power here, so nothing waits for its disk.
  const cluster = await startPostgresql(['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']);
  project.provide('postgresql', cluster?.url ?? null);
  if (cluster === null) process.stderr.write(`\nSKIPPED: tests with PostgreSQL (${NO_POSTGRESQL})\n`);
  return () => cluster?.close();
}
