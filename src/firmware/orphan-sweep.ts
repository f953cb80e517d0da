import type { BlobStore } from '../platform/blobs/blob-store.js';
import { type SweepOptions, sweepBlobs } from '../platform/blobs/sweep-blobs.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/types.js';
import { wholeRows } from '../platform/database/whole-rows.js';
import type { Logger } from '../platform/logger.js';
import { elfKey } from './blob-keys.js';

/**
 * Cleans the firmware storage as `sweepStorage` does for dumps. Run it before the first upload, and daily. Rows without
 * an ELF are handled by `lost-elfs.ts`.
 *
 * @param options.before required if uploads may be in progress: only files that were last written before it
 */
export async function sweepFirmware(
  { db, blobs, clock, log }: { db: Db; blobs: BlobStore; clock: Clock; log: Logger },
  options: SweepOptions = {},
): Promise<void> {
  const { unfinished, broughtBack, setAside, purged } = await sweepBlobs(
    { blobs, withoutRow: (keys) => withoutBuild(db, keys), now: clock.now() },
    options,
  );
  if (unfinished > 0) log.warn({ unfinished }, 'removed unfinished firmware uploads of an earlier run');
  if (broughtBack > 0) log.warn({ broughtBack }, 'brought back firmware files that were set aside');
  if (setAside > 0) {
    log.warn({ orphans: setAside }, 'set aside firmware files without a row, in .orphans/ for 7 days');
  }
  if (purged > 0) log.info({ purged }, 'removed firmware files that were set aside more than 7 days ago');
}

/** Returns the keys of blobs without a build. */
export async function withoutBuild(db: Db, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const builds = await db.firmware.findMany({
    where: {
      elfSha256: { in: keys.map((key) => key.slice(key.lastIndexOf('/') + 1).replace(/\.elf$/, '')) },
    },
    select: { elfSha256: true, model: { select: { code: true } } },
  });
  const withRow = new Set(
    wholeRows(builds, 'model').map(({ model, elfSha256 }) => elfKey(model.code, elfSha256)),
  );
  return keys.filter((key) => !withRow.has(key));
}
