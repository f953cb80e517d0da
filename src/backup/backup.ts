import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config/settings.js';
import { pairAnew } from '../installation/adopt.js';
import { assertComplete, claimsOf } from '../installation/matching.js';
import { namedStores } from '../installation/stores.js';
import { type BlobStores, openBlobStores } from '../platform/blobs/open-blob-stores.js';
import { openDatabase } from '../platform/database/open-database.js';
import { copySqlite } from '../platform/database/sqlite/copy.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Database, Db } from '../platform/database/types.js';
import { blobsOfRows, type CopyOutcome, copyBlobs, type Stores } from './copy-blobs.js';
import { beginPartial, type Leftovers, removeLeftovers } from './partial-backup.js';
import { removeRowless } from './remove-rowless.js';

/**
 * Copies the embedded database and its bytes into a new folder, also while a server runs. The folder has the layout of
 * `./data`, and gets its name only when it is complete.
 *
 * It contains every dump that was acknowledged before and still exists, and every row has its bytes:
 * 1. a snapshot of the database, and the bytes of its rows;
 * 2. a second snapshot, which becomes the backup's database, and the bytes of its new rows;
 * 3. rows whose bytes were deleted in the meantime, by retention or a user, are deleted from the copy;
 * 4. the copy becomes a separate installation, so that its database is not used with the original storage, which has
 *    newer files.
 *
 * @throws Error with one clear sentence
 */
export async function backup(
  config: Config,
  target: string,
): Promise<
  CopyOutcome & { readonly folder: string; readonly removed: number; readonly leftovers: Leftovers }
> {
  if (!config.databaseUrl.startsWith('file:')) {
    throw new Error(
      'backup is for the embedded database; back PostgreSQL up with its own tools, or use coredock export',
    );
  }
  const file = config.databaseUrl.slice('file:'.length);
  const folder = resolve(target);
  await assertFree(folder);
  const leftovers = await removeLeftovers(folder);
  const partial = await beginPartial(folder);

  const paths = {
    coredumpsDir: join(partial.folder, 'coredumps'),
    assetsDir: join(partial.folder, 'firmware'),
    s3: null,
  };
  let source: BlobStores | null = null;
  try {
    // Another backup may have finished a moment ago.
    await assertFree(folder);
    const copy = join(partial.folder, 'coredock.db');
    source = await openBlobStores(config);
    const stores = namedStores(config, source);
    const goal = await openBlobStores(paths);
    const from = { Coredump: source.dumps, Firmware: source.firmwares };
    const to = { Coredump: goal.dumps, Firmware: goal.firmwares };
    await copySqlite(file, copy);
    const first = await withDatabase(copy, async ({ db, isShared }) => {
      const pair = { database: { db, isShared }, databaseUrl: config.databaseUrl, stores };
      assertComplete(pair, await claimsOf(pair));
      return copyBlobs(blobsOfRows(db), { from, to });
    });
    await removeCopy(copy);
    await copySqlite(file, copy);
    const known = new Set(first.damaged.map(({ table, id }) => `${table} ${id}`));
    const result = await withDatabase(copy, async (database) => {
      const { db } = database;
      const second = await copyBlobs(blobsOfRows(db), { from, to });
      await removeRows(db, second);
      // Bytes of rows that only the first snapshot had.
      await removeRowless(db, to);
      await pairAnew({ database, stores: namedStores(paths, goal) }, new Date());
      return {
        ...second,
        // Missing in both snapshots: these were not deleted during the backup.
        damaged: second.damaged.filter(({ table, id }) => known.has(`${table} ${id}`)),
        removed: second.damaged.filter(({ table, id }) => !known.has(`${table} ${id}`)).length,
      };
    });
    await rm(`${copy}.lock`, { force: true });
    await partial.finish();
    return { ...result, folder, leftovers };
  } finally {
    source?.close();
    await partial.end();
  }
}

async function assertFree(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new Error(`the folder ${folder} cannot be used: ${error.message}`, { cause: error });
  });
  if (names.length > 0) throw new Error(`the folder ${folder} is not empty: name a new one for each backup`);
}

async function withDatabase<T>(file: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(`file:${file}`);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

async function removeCopy(copy: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '.lock']) await rm(`${copy}${suffix}`, { force: true });
}

async function removeRows(db: Db, { damaged }: CopyOutcome): Promise<void> {
  const idsOf = (wanted: keyof Stores) => damaged.filter(({ table }) => table === wanted).map(({ id }) => id);
  await inTransaction(db, async (tx) => {
    await tx.coredump.deleteMany({ where: { id: { in: idsOf('Coredump') } } });
    await tx.firmware.deleteMany({ where: { id: { in: idsOf('Firmware') } } });
  });
}
