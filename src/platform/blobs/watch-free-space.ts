import { DomainError } from '../../errors.js';
import type { Logger } from '../logger.js';
import type { BlobStore, IncomingBlob } from './blob-store.js';

/** Free bytes required beyond the failed size: what a file system needs for the file itself. */
const MARGIN_BYTES = 64 * 1024;
/** How long a STORAGE_FULL error counts as current, if free space cannot be tested without storing something. */
const BELIEVED_MS = 30_000;

/**
 * Remembers that a store ran out of space. It then counts as full, even if smaller blobs still fit, until a blob of
 * that size was stored or would fit. Logs this once, and once when there is free space again.
 *
 * @param place for operators: "the folder ./data/coredumps (COREDUMPS_DIR)"
 * @param trySpace rejects when there is no space for this many bytes; null if only storing can tell
 */
export function watchFreeSpace(
  store: BlobStore,
  {
    place,
    trySpace,
    log,
    now = Date.now,
  }: {
    place: string;
    trySpace: ((bytes: number) => Promise<void>) | null;
    log?: Logger | undefined;
    now?: () => number;
  },
): BlobStore {
  let lacking: { bytes: number; since: number } | null = null;

  return {
    ...store,

    async receive(source) {
      let size = 0;
      const counted = async function* () {
        for await (const chunk of source) {
          size += chunk.byteLength;
          yield chunk;
        }
      };
      return watched(await noting(store.receive(counted()), () => size));
    },

    async check() {
      await noting(store.check(), () => 0);
      if (lacking === null) return;
      if (trySpace === null && now() - lacking.since >= BELIEVED_MS) noteSpace(lacking.bytes);
      else if (trySpace === null) throw new DomainError('STORAGE_FULL', `${place} is full`);
      else {
        const { bytes } = lacking;
        await trySpace(bytes);
        noteSpace(bytes);
      }
    },
  };

  function watched(incoming: IncomingBlob): IncomingBlob {
    return {
      size: incoming.size,
      sha256: incoming.sha256,
      file: () => noting(incoming.file(), () => incoming.size),
      async publish(key, signal) {
        const isPublished = await noting(incoming.publish(key, signal), () => incoming.size);
        if (isPublished) noteSpace(incoming.size);
        return isPublished;
      },
      discard: () => incoming.discard(),
    };
  }

  async function noting<T>(call: Promise<T>, sizeOf: () => number): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'STORAGE_FULL') noteFull(sizeOf() + MARGIN_BYTES);
      throw error;
    }
  }

  function noteFull(bytes: number): void {
    if (lacking === null) log?.error(`${place} is full: free some space; new files are refused until then`);
    // The smallest size that did not fit: once it was stored, there is space.
    lacking = { bytes: Math.min(bytes, lacking?.bytes ?? bytes), since: now() };
  }

  function noteSpace(bytes: number): void {
    if (lacking === null || bytes + MARGIN_BYTES < lacking.bytes) return;
    lacking = null;
    log?.info(`${place} has free space again`);
  }
}
