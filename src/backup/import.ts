import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/settings.js';
import { RESET_COLUMNS } from '../devices/reset-reasons.js';
import { noteComplete } from '../installation/adopt.js';
import { beginImport } from '../installation/begin-import.js';
import { noteImport } from '../installation/identity.js';
import {
  continueKeysAfter,
  countRows,
  deleteRows,
  insertRows,
  type Table,
} from '../platform/database/tables.js';
import type { Database, DbTransaction } from '../platform/database/types.js';
import { exportedTables, type Manifest, readBlobs, readManifest, readTable, storesIn } from './archive.js';
import { type BlobOfRow, type CopyOutcome, copyBlobs } from './copy-blobs.js';
import { openExclusive } from './open-exclusive.js';

/** All rows are inserted in one transaction, so its time limit is long enough for any import. */
const TRANSACTION = { maxWait: 60_000, timeout: 24 * 60 * 60 * 1000 };

/**
 * Fills an empty database and storage from an export: rows with their ids, and bytes, each compared with its SHA-256.
 * First it marks both as unfinished. Then it copies the bytes. Then it inserts all rows and removes the mark in one
 * transaction. So an interrupted import leaves an empty database and a storage on which no server starts, and can be
 * repeated.
 *
 * Rows whose bytes were missing or damaged at the export are left out.
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
  const { database, pair, stores, assertAlone, close } = await openExclusive(config);
  try {
    await assertEmpty(database, tables);
    const { installation } = await beginImport(pair, folder, new Date());
    await Promise.all([stores.Coredump.check(), stores.Firmware.check()]);
    const left = new Set(manifest.damaged.map(({ table, id }) => `${table} ${id}`));
    const outcome = await copyBlobs(without(readBlobs(folder), left), { from: storesIn(folder), to: stores });
    const [damaged] = outcome.damaged;
    if (damaged !== undefined)
      throw new Error(`the export is damaged: ${damaged.key} is missing or has changed`);
    await assertAlone();
    await database.db.$transaction(
      (tx) => insertAll(tx, tables, { folder, manifest, database }),
      TRANSACTION,
    );
    // If the process is killed here, only these notes are missing; the next start writes them.
    for (const store of pair.stores) await noteComplete(database.db, store, installation);
    return { ...outcome, manifest };
  } finally {
    await close();
  }
}

/** What exports of before version 1 lack: a table, and columns that are null, or have a default, in rows of before. */
const ADDED_TABLE = 'IngestKey';
const ADDED_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  Device: [
    ...['serial', 'approval', 'ingestKeyId', 'lastSeenAt'],
    ...['lastBootAt', 'lastBootVersion', 'lastBootElfSha256', 'lastBootChip', 'lastResetReason'],
    ...['lastBootUptimeSeconds', 'lastBootCrashPending'],
  ],
  DeviceDay: [...RESET_COLUMNS, 'runs', 'crashedRuns', 'timedRuns', 'runSeconds'],
  Firmware: ['revision'],
};

type Shape = ReadonlyArray<{ name: string; columns: ReadonlyArray<{ name: string }> }>;

/** Another version may have other columns, which this version would drop. @returns the tables that the export has */
function assertSameTables(manifest: Manifest): Table[] {
  const tables = exportedTables();
  const before = tables
    .filter(({ name }) => name !== ADDED_TABLE)
    .map(({ name, columns }) => ({
      name,
      columns: columns.filter((column) => ADDED_COLUMNS[name]?.includes(column.name) !== true),
    }));
  const shapes = (list: Shape) =>
    list
      .map(({ name, columns }) => ({ name, columns: [...columns] }))
      .sort((a, b) => a.name.localeCompare(b.name));
  if (isDeepStrictEqual(shapes(manifest.tables), shapes(tables))) return tables;
  if (isDeepStrictEqual(shapes(manifest.tables), shapes(before)))
    return tables.filter(({ name }) => name !== ADDED_TABLE);
  throw new Error('the export was made by another version of Coredock: export and import with the same one');
}

async function assertEmpty({ db }: Database, tables: readonly Table[]): Promise<void> {
  for (const table of tables) {
    if ((await countRows(db, table)) === 0) continue;
    throw new Error(`the database has rows in ${table.name} already: import needs an empty database`);
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
    // The table is counted too: another process may have inserted rows after it was checked to be empty.
    if (inserted !== rows || (await countRows(tx, table)) !== rows) {
      throw new Error(`the export is damaged: ${table.name} should have ${rows} rows, and has ${inserted}`);
    }
    await continueKeysAfter(tx, table, { last: lastCounted, isShared: database.isShared });
  }
  for (const table of tables) {
    const ids = manifest.damaged.filter((row) => row.table === table.name).map(({ id }) => id);
    await deleteRows(tx, table, ids);
  }
  // Exports of before had no such column.
  await tx.$executeRaw`
    UPDATE "Coredump" SET "crashVersion" = coalesce(
      (SELECT nullif(o."firmwareVersion", '') FROM "CrashOccurrence" o WHERE o."coredumpId" = "Coredump"."id"),
      "firmwareVersion") WHERE "crashVersion" = ''`;
  // Nobody follows an import, and the target is a new feed with an identity of its own.
  await tx.change.deleteMany();
  await noteImport(tx, null);
}

async function* without(
  blobs: AsyncIterable<BlobOfRow>,
  left: ReadonlySet<string>,
): AsyncGenerator<BlobOfRow> {
  for await (const blob of blobs) if (!left.has(`${blob.table} ${blob.id}`)) yield blob;
}
