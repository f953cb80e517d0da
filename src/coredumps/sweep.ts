import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/database.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { coredumpKey } from './storage.js';

/** What is set aside by mistake can be brought back within this time. */
const KEEP_ORPHANS_MS = 7 * 24 * 60 * 60 * 1000;
const BATCH = 500;

/**
 * Tidies the dump storage after whatever way the last server ended; to be run before the first upload, and daily.
 * Uploads that were never finished are removed; finished files without a row are set aside for a week; older ones of
 * those go.
 *
 * @param before where uploads may be on their way, in this server or another: only files last written before that
 */
export async function sweepStorage(
  { db, blobs, clock, metrics, log }: SweepDeps,
  before?: Date,
): Promise<void> {
  const unfinished = await blobs.removeUnfinished(before);
  if (unfinished > 0) log.warn({ unfinished }, 'removed unfinished uploads of an earlier run');

  let batch: string[] = [];
  let orphans = 0;
  const flush = async () => {
    orphans += await orphanRowless(db, blobs, batch);
    batch = [];
  };
  for await (const { key, modifiedAt } of blobs.list()) {
    if (before !== undefined && modifiedAt >= before) continue;
    batch.push(key);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  metrics.orphans.inc(orphans);
  if (orphans > 0) log.warn({ orphans }, 'set aside core dump files without a row, in .orphans/ for 7 days');

  await purgeOrphans({ blobs, clock, log });
}

async function purgeOrphans({
  blobs,
  clock,
  log,
}: Pick<SweepDeps, 'blobs' | 'clock' | 'log'>): Promise<void> {
  const purged = await blobs.purgeOrphans(new Date(clock.now().getTime() - KEEP_ORPHANS_MS));
  if (purged > 0) log.info({ purged }, 'removed orphans that were set aside more than 7 days ago');
}

/** Which of these blobs no row stands for. */
export async function withoutRow(db: Db, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await db.coredump.findMany({
    where: { filename: { in: keys.map((key) => key.slice(key.lastIndexOf('/') + 1)) } },
    select: { filename: true, device: { select: { key: true } } },
  });
  const withRow = new Set(rows.map(({ filename, device }) => coredumpKey(device.key, filename)));
  return keys.filter((key) => !withRow.has(key));
}

async function orphanRowless(db: Db, blobs: BlobStore, keys: readonly string[]): Promise<number> {
  const rowless = await withoutRow(db, keys);
  for (const key of rowless) await blobs.orphan(key);
  return rowless.length;
}

interface SweepDeps {
  db: Db;
  blobs: BlobStore;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
}
