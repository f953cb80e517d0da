import type { BlobStore } from '../platform/blobs/blob-store.js';
import { type TidyOptions, tidyBlobs } from '../platform/blobs/tidy.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { coredumpKey } from './blob-keys.js';

/**
 * Tidies the dump storage after whatever way the last server ended; to be run before the first upload, and daily.
 * Uploads that were never finished are removed; files that were set aside and have a row come back; finished files
 * without a row are set aside for a week; older ones of those go.
 *
 * @param options.before where uploads may be on their way, in this server or another: only files last written before that
 */
export async function sweepStorage(
  { db, blobs, clock, metrics, log }: SweepDeps,
  options: TidyOptions = {},
): Promise<void> {
  const { unfinished, broughtBack, setAside, purged } = await tidyBlobs(
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

/** Which of these blobs no row wants: there is none, or its bytes were removed on purpose. */
export async function withoutRow(db: Db, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await db.coredump.findMany({
    where: { filename: { in: keys.map((key) => key.slice(key.lastIndexOf('/') + 1)) }, removedRaw: null },
    select: { filename: true, device: { select: { key: true } } },
  });
  const withRow = new Set(rows.map(({ filename, device }) => coredumpKey(device.key, filename)));
  return keys.filter((key) => !withRow.has(key));
}

interface SweepDeps {
  db: Db;
  blobs: BlobStore;
  clock: Clock;
  metrics: Metrics;
  log: Logger;
}
