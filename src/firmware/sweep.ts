import type { BlobStore } from '../platform/blobs/blob-store.js';
import type { Clock } from '../platform/clock.js';
import type { Db } from '../platform/database/database.js';
import type { Logger } from '../platform/logger.js';
import { elfKey } from './storage.js';

/** What is set aside by mistake can be brought back within this time. */
const KEEP_ORPHANS_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Tidies the firmware storage after whatever way the last server ended; to be run before the first upload. ELFs
 * without a row are set aside for a week. Rows without an ELF are for `lost-elfs.ts`.
 *
 * @param before where other servers use the storage too: only files that were last written before that
 */
export async function sweepFirmware(
  { db, blobs, clock, log }: { db: Db; blobs: BlobStore; clock: Clock; log: Logger },
  before?: Date,
): Promise<void> {
  const unfinished = await blobs.removeUnfinished(before);
  if (unfinished > 0) log.warn({ unfinished }, 'removed unfinished firmware uploads of an earlier run');

  const builds = await db.firmware.findMany({ include: { model: { select: { code: true } } } });
  const wanted = new Set(builds.map(({ model, elfSha256 }) => elfKey(model.code, elfSha256)));
  const orphans: string[] = [];
  for await (const { key, modifiedAt } of blobs.list()) {
    const isInFlight = before !== undefined && modifiedAt >= before;
    if (!wanted.has(key) && !isInFlight) orphans.push(key);
  }
  for (const key of orphans) await blobs.orphan(key);
  if (orphans.length > 0) {
    log.warn({ orphans: orphans.length }, 'set aside firmware files without a row, in .orphans/ for 7 days');
  }
  const purged = await blobs.purgeOrphans(new Date(clock.now().getTime() - KEEP_ORPHANS_MS));
  if (purged > 0) log.info({ purged }, 'removed firmware files that were set aside more than 7 days ago');
}
