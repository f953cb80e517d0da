import { DAY_MS } from '../durations.js';
import type { BlobStore } from './blob-store.js';

/** Blobs that were set aside by mistake can be restored within this time. */
const KEEP_ORPHANS_MS = 7 * DAY_MS;
const BATCH = 500;
/** Concurrent blobs: each takes several calls with a bucket. */
const AT_ONCE = 16;

export interface SweepResult {
  /** Unfinished uploads that were removed. */
  readonly unfinished: number;
  /** Blobs with a row whose keys were restored. */
  readonly broughtBack: number;
  /** Blobs without a row that were set aside now. */
  readonly setAside: number;
  /** Blobs without a row that were set aside a week ago and are now removed. */
  readonly purged: number;
}

export interface SweepOptions {
  /** Required if other servers may be writing: only blobs and uploads last written before it are cleaned. */
  before?: Date | undefined;
  /** False: no blob that is set aside is removed, however old. */
  mayPurge?: boolean;
}

/**
 * Reconciles a storage with the rows that refer to its blobs. No blob with a row is removed, and one without a row only
 * after it was set aside for a week.
 *
 * @param withoutRow returns which of these keys no row refers to
 */
export async function sweepBlobs(
  {
    blobs,
    withoutRow,
    now,
  }: { blobs: BlobStore; withoutRow: (keys: readonly string[]) => Promise<string[]>; now: Date },
  { before, mayPurge = true }: SweepOptions,
): Promise<SweepResult> {
  const unfinished = await blobs.removeUnfinished(before);
  const oldest = new Date(now.getTime() - KEEP_ORPHANS_MS);
  const result = { unfinished, broughtBack: 0, setAside: 0, purged: 0 };

  for await (const orphans of inBatches(blobs.orphans())) {
    const rowless = new Set(await withoutRow(orphans.map(({ key }) => key)));
    await eachOf(orphans, async ({ key, setAsideAt }) => {
      const outcome = rowless.has(key) ? 'unwanted' : await blobs.bringBack(key);
      if (outcome === 'back') result.broughtBack += 1;
      // 'taken': the row has its blob, and this is a second copy.
      if (outcome === 'back' || outcome === 'missing' || setAsideAt >= oldest || !mayPurge) return;
      await blobs.removeOrphan(key);
      result.purged += 1;
    });
  }
  for await (const listed of inBatches(blobs.list())) {
    const isSettled = ({ modifiedAt }: { modifiedAt: Date }) => before === undefined || modifiedAt < before;
    await eachOf(await withoutRow(listed.filter(isSettled).map(({ key }) => key)), async (key) => {
      await blobs.orphan(key);
      result.setAside += 1;
    });
  }
  return result;
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE)
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
}

async function* inBatches<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  for await (const item of items) {
    if (batch.push(item) < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
