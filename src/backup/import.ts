import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/settings.js';
import { noteWhole } from '../installation/adopt.js';
import { noteImport } from '../installation/identity.js';
import { beginImport } from '../installation/importing.js';
import { countOnFrom, countRows, deleteRows, insertRows, type Table } from '../platform/database/tables.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import { type Manifest, movedTables, readBlobs, readManifest, readTable, storesIn } from './archive.js';
import { type BlobOfRow, type CopyOutcome, copyBlobs } from './copy-blobs.js';
import { openHouse } from './open-exclusive.js';

/** All rows in one transaction: it takes as long as it takes. */
const TRANSACTION = { maxWait: 60_000, timeout: 24 * 60 * 60 * 1000 };

/**
 * Makes a server of an export: rows with their ids, and bytes, each compared with its SHA-256. First both sides are marked
 * as unfinished, then come the bytes, then all rows at once, with the end of the mark. So an import that was ended halfway
 * has left an empty database and a storage on which no server starts, and is simply begun again.
 *
 * Rows whose bytes had been missing or damaged when they were exported are left out.
 *
 * @throws Error or DomainError with one clear sentence, also when database or storage of the settings are not empty
 */
export async function importAll(
  config: Config,
  source: string,
): Promise<CopyOutcome & { manifest: Manifest }> {
  const folder = resolve(source);
  const manifest = await readManifest(folder);
  const tables = assertSameTables(manifest);
  const { database, pair, stores, assertAlone, close } = await openHouse(config);
  try {
    await assertEmpty(database, tables);
    const { installation } = await beginImport(pair, folder, new Date());
    await Promise.all([stores.Coredump.check(), stores.Firmware.check()]);
    const left = new Set(manifest.damaged.map(({ table, id }) => `${table} ${id}`));
    const outcome = await copyBlobs(without(readBlobs(folder), left), { from: storesIn(folder), to: stores });
    const [damaged] = outcome.damaged;
    if (damaged !== undefined)
      throw new Error(`the export is damaged: ${damaged.key} is missing, or not what it was`);
    await assertAlone();
    await database.db.$transaction(
      (tx) => insertAll(tx, tables, { folder, manifest, database }),
      TRANSACTION,
    );
    // Who is killed here has a whole installation, which the next start completes.
    for (const store of pair.stores) await noteWhole(database.db, store, installation);
    return { ...outcome, manifest };
  } finally {
    await close();
  }
}

/** Another version may have other columns: what this one does not know it would lose. */
function assertSameTables(manifest: Manifest): Table[] {
  const tables = movedTables();
  const shapes = (list: ReadonlyArray<{ name: string; columns: readonly object[] }>) =>
    list
      .map(({ name, columns }) => ({ name, columns: [...columns] }))
      .sort((a, b) => a.name.localeCompare(b.name));
  if (isDeepStrictEqual(shapes(manifest.tables), shapes(tables))) return tables;
  throw new Error('the export was made by another version of Coredock: export and import with the same one');
}

async function assertEmpty({ db }: Database, tables: readonly Table[]): Promise<void> {
  for (const table of tables) {
    if ((await countRows(db, table)) === 0) continue;
    throw new Error(
      `the database has rows in ${table.name} already: import needs an empty one, and never adds to another`,
    );
  }
}

async function insertAll(
  tx: DbTransaction,
  tables: readonly Table[],
  { folder, manifest, database }: { folder: string; manifest: Manifest; database: Database },
): Promise<void> {
  for (const table of tables) {
    const { rows = 0, lastCounted = 0 } = manifest.tables.find(({ name }) => name === table.name) ?? {};
    const inserted = await insertRows(tx, table, readTable(folder, table));
    // Counted in the table too: somebody else may have added some since it was seen to be empty.
    if (inserted !== rows || (await countRows(tx, table)) !== rows) {
      throw new Error(`the export is damaged: ${table.name} should have ${rows} rows, and has ${inserted}`);
    }
    await countOnFrom(tx, table, { last: lastCounted, isShared: database.isShared });
  }
  for (const table of tables) {
    const ids = manifest.damaged.filter((row) => row.table === table.name).map(({ id }) => id);
    await deleteRows(tx, table, ids);
  }
  await noteImport(tx, null);
}

async function* without(
  blobs: AsyncIterable<BlobOfRow>,
  left: ReadonlySet<string>,
): AsyncGenerator<BlobOfRow> {
  for await (const blob of blobs) if (!left.has(`${blob.table} ${blob.id}`)) yield blob;
}
