import { DomainError } from '../../errors.js';
import type { Logger } from '../logger.js';
import type { BlobStore, IncomingBlob } from './blob-store.js';

/** Beyond what failed: what a file system needs for the file itself. */
const MARGIN_BYTES = 64 * 1024;
/** Where room cannot be tried without storing something, a refusal is believed for so long. */
const BELIEVED_MS = 30_000;

/**
 * Remembers that a store had no room for what it was given: then it is full, whatever smaller things fit in, until
 * something as large was stored or could be. Says so once in the log, and once when there is room again.
 *
 * @param place as an operator knows it: "the folder ./data/coredumps (COREDUMPS_DIR)"
 * @param tryRoom rejects when so many bytes have no room; null where only storing something can tell
 */
export function watchRoom(
  store: BlobStore,
  {
    place,
    tryRoom,
    log,
    now = Date.now,
  }: {
    place: string;
    tryRoom: ((bytes: number) => Promise<void>) | null;
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
      if (tryRoom === null && now() - lacking.since >= BELIEVED_MS) hasRoom(lacking.bytes);
      else if (tryRoom === null) throw new DomainError('STORAGE_FULL', `${place} is full`);
      else {
        const { bytes } = lacking;
        await tryRoom(bytes);
        hasRoom(bytes);
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
        if (isPublished) hasRoom(incoming.size);
        return isPublished;
      },
      discard: () => incoming.discard(),
    };
  }

  async function noting<T>(call: Promise<T>, sizeOf: () => number): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'STORAGE_FULL') hasNoRoom(sizeOf() + MARGIN_BYTES);
      throw error;
    }
  }

  function hasNoRoom(bytes: number): void {
    if (lacking === null)
      log?.error(`${place} is full: free some space; what needs room is refused until then`);
    // The least that had no room: as soon as that is stored, something is.
    lacking = { bytes: Math.min(bytes, lacking?.bytes ?? bytes), since: now() };
  }

  function hasRoom(bytes: number): void {
    if (lacking === null || bytes + MARGIN_BYTES < lacking.bytes) return;
    lacking = null;
    log?.info(`${place} has room again`);
  }
}
