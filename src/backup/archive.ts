import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import * as z from 'zod';
import { createFileBlobs } from '../platform/blobs/files/file-blobs.js';
import { allTables, type Row, type Table } from '../platform/database/tables.js';
import { syncFolder } from '../platform/files/durable-folder.js';
import type { BlobOfRow, Stores } from './copy-blobs.js';

/**
 * An export is a folder:
 * - `coredumps/` and `firmware/`: the bytes, with the layout of `./data`;
 * - `blobs.ndjson`: one line per blob; `tables/NAME.ndjson`: the rows of each table;
 * - `manifest.json`, written last: without it the export is unfinished.
 */
const MANIFEST = 'manifest.json';
const BLOBS = 'blobs.ndjson';
const TABLES = 'tables';

/** Everything that an unfinished export may leave in its folder. */
export const ARCHIVE_NAMES = ['coredumps', 'firmware', BLOBS, TABLES, `${MANIFEST}.new`];

const FORMAT = 'coredock-export-1';

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  exportedAt: z.string(),
  tables: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.object({ name: z.string(), type: z.string() })),
      rows: z.number(),
      /** The highest key ever assigned in the table. */
      lastCounted: z.number(),
    }),
  ),
  /** Rows whose bytes were missing or damaged in the source. */
  damaged: z.array(z.object({ table: z.enum(['Coredump', 'Firmware']), id: z.number(), key: z.string() })),
});

/** The target of an import is a new installation, and nobody is signed in there. */
const NOT_EXPORTED = ['Installation', 'Session'];

export function exportedTables(): Table[] {
  return allTables().filter(({ name }) => !NOT_EXPORTED.includes(name));
}

export type Manifest = z.infer<typeof manifestSchema>;

const blobSchema = z.object({
  table: z.enum(['Coredump', 'Firmware']),
  id: z.number(),
  key: z.string(),
  size: z.number(),
  sha256: z.string(),
});

export function storesIn(folder: string): Stores {
  return {
    Coredump: createFileBlobs({ root: join(folder, 'coredumps') }),
    Firmware: createFileBlobs({ root: join(folder, 'firmware') }),
  };
}

/** Removes files of an unfinished export that the next export would not overwrite: partial files, other tables. */
export async function removeUnfinished(folder: string): Promise<void> {
  const { Coredump, Firmware } = storesIn(folder);
  await Promise.all([Coredump.removeUnfinished(), Firmware.removeUnfinished()]);
  await rm(join(folder, TABLES), { recursive: true, force: true });
}

export async function writeManifest(folder: string, manifest: Omit<Manifest, 'format'>): Promise<void> {
  const path = join(folder, MANIFEST);
  const file = await open(`${path}.new`, 'w');
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(folder);
}

/** @throws Error with one clear sentence when there is no finished export, or this version cannot read it */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'it has no manifest.json' : error.message;
    throw new Error(`${folder} is not a finished export: ${reason}`, { cause: error });
  });
  const parsed = manifestSchema.safeParse(asJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(`${path} is not the manifest of an export that this version of Coredock can read`);
}

export async function writeBlobs(folder: string, blobs: AsyncIterable<BlobOfRow>): Promise<void> {
  await writeLines(join(folder, BLOBS), blobs);
}

export async function* readBlobs(folder: string): AsyncGenerator<BlobOfRow> {
  for await (const line of readLines(join(folder, BLOBS))) yield blobSchema.parse(line);
}

/** @returns the number of rows */
export async function writeTable(folder: string, table: Table, rows: AsyncIterable<Row>): Promise<number> {
  await mkdir(join(folder, TABLES), { recursive: true });
  return writeLines(join(folder, TABLES, `${table.name}.ndjson`), rows);
}

export async function* readTable(folder: string, table: Table): AsyncGenerator<Row> {
  for await (const line of readLines(join(folder, TABLES, `${table.name}.ndjson`))) {
    yield rowOf(table, z.record(z.string(), z.unknown()).parse(line));
  }
}

/** JSON has no dates, bytes or big integers: `toJson` writes them as strings, and this reads them back. */
function rowOf(table: Table, line: Record<string, unknown>): Row {
  return Object.fromEntries(table.columns.map(({ name, type }) => [name, columnOf(type, line[name])]));
}

function columnOf(type: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  switch (type) {
    case 'DateTime':
      return new Date(value);
    case 'Bytes':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'BigInt':
      return BigInt(value);
    default:
      // PostgreSQL's text cannot hold a NUL.
      return value.replaceAll('\0', '\uFFFD');
  }
}

function toJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value;
}

async function writeLines(path: string, lines: AsyncIterable<object>): Promise<number> {
  const stream = createWriteStream(path, { flush: true });
  const done = finished(stream);
  // The error is thrown by the `await` below.
  done.catch(() => {});
  let count = 0;
  try {
    for await (const line of lines) {
      count += 1;
      if (!stream.write(`${JSON.stringify(line, toJson)}\n`)) await once(stream, 'drain');
    }
  } catch (error) {
    stream.destroy();
    throw error;
  }
  stream.end();
  await done;
  return count;
}

async function* readLines(path: string): AsyncGenerator<unknown> {
  const file = await open(path).catch((error: Error) => {
    throw new Error(`the export is damaged: ${error.message}`, { cause: error });
  });
  for await (const line of file.readLines()) yield asJson(line);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('the export is damaged: a line of it is not JSON', { cause: error });
  }
}
