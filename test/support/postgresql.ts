import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { memoryFolder } from './memory-folder.js';

/** One PostgreSQL server for all files of the run, with a migrated database to copy. */
export default async function setup(project: TestProject) {
  // A new database for each test, hundreds in all: no machine loses its power here, so nothing waits for its disk.
  const cluster = await startPostgresql(
    ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'],
    memoryFolder(),
  );
  project.provide('postgresql', cluster?.url ?? null);
  project.provide('migrated', cluster === null ? undefined : await aTemplate(cluster.url));
  if (cluster === null) process.stderr.write(`\nSKIPPED: tests with PostgreSQL (${NO_POSTGRESQL})\n`);
  return () => cluster?.close();
}

/** With the tables of the job queue too: making them takes longer than most tests. */
async function aTemplate(clusterUrl: string): Promise<string> {
  const url = await createDatabase(clusterUrl);
  const database = await openDatabase(url);
  await database.jobs?.start();
  await database.close();
  return new URL(url).pathname.slice(1);
}
