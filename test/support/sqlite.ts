import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrateSqlite } from '../../src/platform/database/sqlite/migrate-sqlite.js';
import { memoryFolder } from './memory-folder.js';

/** A migrated database for all files of the run to copy. */
export default async function setup(project: TestProject) {
  const dir = await mkdtemp(join(memoryFolder(), 'coredock-migrated-'));
  const file = join(dir, 'migrated.db');
  migrateSqlite(file);
  project.provide('migrated', file);
  return () => rm(dir, { recursive: true, force: true });
}
