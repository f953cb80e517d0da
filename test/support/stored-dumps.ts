import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestApp } from './app.js';

/** Every file below the dump storage, unfinished ones included. */
export async function filesOf(app: TestApp): Promise<string[]> {
  const entries = await readdir(app.config.coredumpsDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== '.installation.json')
    .map((entry) => join(entry.parentPath, entry.name));
}

/** How many dumps GraphQL knows. */
export async function rowCount(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps { totalCount } }',
  );
  return coredumps.totalCount;
}
