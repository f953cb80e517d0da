import type { TestProject } from 'vitest/node';
import { NO_POSTGRESQL, startPostgresql } from '../../src/tools/postgresql-cluster.js';

/** One PostgreSQL server for all files of the run. */
export default async function setup(project: TestProject) {
  const cluster = await startPostgresql();
  project.provide('postgresql', cluster?.url ?? null);
  if (cluster === null) process.stderr.write(`\nSKIPPED: tests with PostgreSQL (${NO_POSTGRESQL})\n`);
  return () => cluster?.close();
}
