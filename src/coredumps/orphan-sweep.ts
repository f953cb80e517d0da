import type { BlobStore } from '../platform/blobs/blob-store.js';
import { type SweepOptions, sweepBlobs } from '../platform/blobs/sweep-blobs.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { coredumpKey } from './blob-keys.js';

/**
 * Cleans the dump storage after a server has ended, in whatever way. Run it before the first upload, and daily.
 * - Unfinished uploads are removed.
 * - Files that were set aside and have a row are restored.
 * - Finished files without a row are set aside, and removed after a week.
 *
 * @param options.before required if uploads may be in progress, here or on another server: only files last written
 *   before it
 */
export async function sweepStorage(
  { db, blobs, clock, metrics, log }: SweepDeps,
  options: SweepOptions = {},
): Promise<void> {
  const { unfinished, broughtBack, setAside, purged } = await sweepBlobs(
    { blobs, withoutRow: (keys) => withoutRow(db, keys), now: clock.now() },
    options,
  );
  metrics.orphans.inc(setAside);
  if (unfinished > 0) log.warn({ unfinished }, 'removed unfinished uploads of an earlier run');
  if (broughtBack > 0) log.warn({ broughtBack }, 'brought back core dump files that were set aside');
  if (setAside > 0)
    log.warn({ orphans: setAside }, 'set aside core dump files without a row, in .orphans/ for 7 days');
  if (purged > 0) log.info({ purged }, 'removed orphans that were set aside more than 7 days ago');
}

/** Returns the keys of blobs without a row, or whose row says that the bytes were removed on purpose. */
export async function withoutRow(db: Db, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await db.coredump.findMany({
    where: { filename: { in: keys.map((key) => key.slice(key.lastIndexOf('/') + 1)) }, removedRaw: null },
    select: { filename: true, device: { select: { key: true } } },
  });
  const withRow = new Set(
    wholeRows(rows, 'device').map(({ filename, device }) => coredumpKey(device.key, filename)),
  );
  return keys.filter((key) => !withRow.has(key));
}

interface SweepDeps {
  db: Db;
  blobs: BlobStore;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
}
