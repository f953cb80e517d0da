import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../config/settings.js';
import { assertComplete, claimsOf } from '../installation/matching.js';
import { lastCounted, readRows } from '../platform/database/tables.js';
import {
  ARCHIVE_NAMES,
  exportedTables,
  type Manifest,
  removeUnfinished,
  storesIn,
  writeBlobs,
  writeManifest,
  writeTable,
} from './archive.js';
import { blobsOfRows, type CopyOutcome, copyBlobs } from './copy-blobs.js';
import { openExclusive } from './open-exclusive.js';
import { removeRowless } from './remove-rowless.js';

/**
 * Writes all rows and bytes of an installation into a folder, to move them to another database or storage with
 * `importAll`. No server may run: dumps that it accepts later would be missing. An interrupted export can be repeated
 * with the same folder: existing bytes are only compared, everything else is written again.
 *
 * @throws Error or DomainError with one clear sentence
 */
export async function exportAll(
  config: Config,
  target: string,
): Promise<CopyOutcome & { readonly folder: string; readonly tables: Manifest['tables'] }> {
  const folder = resolve(target);
  await mkdir(folder, { recursive: true });
  const strange = (await readdir(folder)).find((name) => !ARCHIVE_NAMES.includes(name));
  if (strange !== undefined) {
    throw new Error(`the folder ${folder} is not empty (${strange}): name a new one for each export`);
  }

  const { database, pair, stores, assertAlone, close } = await openExclusive(config);
  try {
    assertComplete(pair, await claimsOf(pair));
    await removeUnfinished(folder);
    const tables = [];
    for (const table of exportedTables()) {
      const { name, columns, counted } = table;
      const rows = await writeTable(folder, table, readRows(database.db, table));
      const last = counted === null ? 0 : await lastCounted(database, table);
      tables.push({ name, columns: [...columns], rows, lastCounted: last });
    }
    await writeBlobs(folder, blobsOfRows(database.db));
    const to = storesIn(folder);
    const outcome = await copyBlobs(blobsOfRows(database.db), { from: stores, to });
    await removeRowless(database.db, to);
    const damaged = outcome.damaged.map(({ table, id, key }) => ({ table, id, key }));
    await assertAlone();
    await writeManifest(folder, { exportedAt: new Date().toISOString(), tables, damaged });
    return { ...outcome, folder, tables };
  } finally {
    await close();
  }
}
