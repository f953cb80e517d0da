import { createHash } from 'node:crypto';
import { coredumpKey } from '../coredumps/blob-keys.js';
import { DomainError } from '../errors.js';
import { elfKey } from '../firmware/blob-keys.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Db } from '../platform/database/types.js';
import { inParallel } from '../platform/queue/in-parallel.js';

/** The stores of a server, by the table whose rows have their bytes there. */
export interface Stores {
  readonly Coredump: BlobStore;
  readonly Firmware: BlobStore;
}

/** The blob of a row. */
export interface BlobOfRow {
  readonly table: keyof Stores;
  readonly id: number;
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
}

export interface CopyOutcome {
  /** By table: rows whose bytes are in the target, and the number of bytes. */
  readonly copied: Record<keyof Stores, { count: number; bytes: number }>;
  /** Rows whose bytes are missing in the source, or do not match the row. */
  readonly damaged: BlobOfRow[];
}

const BATCH = 500;

/** The blobs of all rows of a database. */
export async function* blobsOfRows(db: Db): AsyncGenerator<BlobOfRow> {
  for (let afterId = 0; ; ) {
    const rows = await db.firmware.findMany({
      where: { id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true, size: true, elfSha256: true, model: { select: { code: true } } },
    });
    for (const { id, size, elfSha256, model } of rows) {
      yield { table: 'Firmware', id, key: elfKey(model.code, elfSha256), size, sha256: elfSha256 };
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    afterId = last.id;
  }
  for (let afterId = 0; ; ) {
    const rows = await db.coredump.findMany({
      // Bytes that privacy settings removed do not count as missing.
      where: { id: { gt: afterId }, removedRaw: null },
      orderBy: { id: 'asc' },
      take: BATCH,
      select: { id: true, size: true, sha256: true, filename: true, device: { select: { key: true } } },
    });
    for (const { id, size, sha256, filename, device } of rows) {
      yield { table: 'Coredump', id, key: coredumpKey(device.key, filename), size, sha256 };
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    afterId = last.id;
  }
}

/**
 * Copies blobs from one storage to another and compares each with its row's SHA-256. Blobs that the target already has
 * are read and compared too, so an interrupted copy can be repeated.
 *
 * @throws DomainError CONFLICT when the target has other bytes under a key; STORAGE_FULL, UNAVAILABLE
 */
export async function copyBlobs(
  blobs: AsyncIterable<BlobOfRow>,
  { from, to }: { from: Stores; to: Stores },
): Promise<CopyOutcome> {
  const outcome: CopyOutcome = {
    copied: { Coredump: { count: 0, bytes: 0 }, Firmware: { count: 0, bytes: 0 } },
    damaged: [],
  };
  await inParallel(blobs, async (blob) => {
    if (await copyOne(blob, from[blob.table], to[blob.table])) {
      const total = outcome.copied[blob.table];
      total.count += 1;
      total.bytes += blob.size;
    } else {
      outcome.damaged.push(blob);
    }
  });
  outcome.damaged.sort((a, b) => a.table.localeCompare(b.table) || a.id - b.id);
  return outcome;
}

/** @returns false when the source does not have these bytes */
async function copyOne({ key, sha256 }: BlobOfRow, from: BlobStore, to: BlobStore): Promise<boolean> {
  const present = await sha256Of(to, key);
  if (present === sha256) return true;
  if (present !== null) throw occupied(key);
  const source = await from.open(key);
  if (source === null) return false;
  const incoming = await to.receive(source.stream);
  try {
    if (incoming.sha256 !== sha256) return false;
    if (await incoming.publish(key)) return true;
  } finally {
    await incoming.discard();
  }
  // Another process stored the blob first.
  if ((await sha256Of(to, key)) === sha256) return true;
  throw occupied(key);
}

async function sha256Of(store: BlobStore, key: string): Promise<string | null> {
  const blob = await store.open(key);
  if (blob === null) return null;
  const hash = createHash('sha256');
  for await (const chunk of blob.stream) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

function occupied(key: string): DomainError {
  return new DomainError(
    'CONFLICT',
    `The target has other bytes under ${key}: it must be empty at the start.`,
  );
}
