import { DAY_MS } from '../durations.js';
import type { BlobStore } from './blob-store.js';

/** What is set aside by mistake can be brought back within this time. */
const KEEP_ORPHANS_MS = 7 * DAY_MS;
const BATCH = 500;
/** Of a bucket each takes several calls. */
const AT_ONCE = 16;

export interface Tidied {
  /** Uploads that were never finished: removed. */
  readonly unfinished: number;
  /** Blobs that were set aside and have a row: back under their keys. */
  readonly broughtBack: number;
  /** Blobs without a row: set aside now. */
  readonly setAside: number;
  /** Blobs without a row that were set aside a week ago: removed. */
  readonly purged: number;
}

export interface TidyOptions {
  /** Where others may be writing: only what was last written before that is unfinished, or without a row. */
  before?: Date | undefined;
  /** False: nothing that is set aside is removed, however old. */
  mayPurge?: boolean;
}

/**
 * Brings a storage into line with the rows that stand for its blobs. Nothing is removed that a row wants, and what has no
 * row only after it was set aside for a week.
 *
 * @param withoutRow which of these keys no row wants
 */
export async function tidyBlobs(
  {
    blobs,
    withoutRow,
    now,
  }: { blobs: BlobStore; withoutRow: (keys: readonly string[]) => Promise<string[]>; now: Date },
  { before, mayPurge = true }: TidyOptions,
): Promise<Tidied> {
  const unfinished = await blobs.removeUnfinished(before);
  const oldest = new Date(now.getTime() - KEEP_ORPHANS_MS);
  const result = { unfinished, broughtBack: 0, setAside: 0, purged: 0 };

  for await (const orphans of inBatches(blobs.orphans())) {
    const rowless = new Set(await withoutRow(orphans.map(({ key }) => key)));
    await eachOf(orphans, async ({ key, setAsideAt }) => {
      const outcome = rowless.has(key) ? 'unwanted' : await blobs.bringBack(key);
      if (outcome === 'back') result.broughtBack += 1;
      // Taken: the row has its blob, and this is another copy of it.
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
