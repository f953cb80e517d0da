import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aMigratedDatabaseUrl } from '../support/database.js';

it('a closed database stays closed, and its files are left alone', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-closed-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const { db, close } = await openDatabase(await aMigratedDatabaseUrl(dir));
  await db.deviceModel.count();
  await close();
  // As if another server had been given the place.
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true, force: true });

  await expect(db.deviceModel.count()).rejects.toThrow();
  await expect(
    db.deviceModel.create({ data: { code: 'late', name: 'Late', createdAt: new Date() } }),
  ).rejects.toThrow();
  await expect(db.$transaction((inner) => inner.deviceModel.count())).rejects.toThrow();

  expect(await readdir(dir)).toEqual([]);
});
