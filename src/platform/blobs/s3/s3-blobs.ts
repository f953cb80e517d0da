import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '../../../errors.js';
import type { Logger } from '../../logger.js';
import { createKeyedMutex } from '../../semaphore.js';
import type { BlobStore, IncomingBlob } from '../blob-store.js';
import { NOTE_NAME } from '../files/note-file.js';
import { createSpool, type Spooled } from '../files/spool.js';
import { assertKey, isKeySegment } from '../keys.js';
import { watchFreeSpace } from '../watch-free-space.js';
import type { S3Bucket } from './s3-bucket.js';
import { asS3Error, isOutOfRange } from './s3-errors.js';

/** After this time without bytes, a body is considered stalled. */
const STALL_MS = 15_000;

/** Prefix of objects that are set aside, outside the prefixes of all stores in the bucket. */
const ORPHANS = '.orphans/';

/**
 * Blobs as objects of a bucket: `prefix` and the key. Received bytes are first written to a file of the local machine
 * (below `spoolDir`), so that nothing unfinished is ever in the bucket, and an object appears whole or not at all. An
 * object is durable when the bucket has acknowledged it.
 *
 * Every object has its SHA-256 as metadata, and every read compares it: a reader gets the last bytes only if all were
 * right.
 */
export function createS3Blobs({
  bucket,
  prefix,
  spoolDir,
  spoolSetting,
  log,
  stallMs = STALL_MS,
}: {
  bucket: S3Bucket;
  /** Ends with a slash; no store's prefix is a prefix of another's. */
  prefix: string;
  spoolDir: string;
  /** The setting that names `spoolDir`. */
  spoolSetting?: string;
  log?: Logger;
  stallMs?: number;
}): BlobStore {
  const spool = createSpool({
    root: spoolDir,
    ...(spoolSetting === undefined ? {} : { setting: spoolSetting }),
    ...(log === undefined ? {} : { log }),
  });
  const orphanPrefix = `${ORPHANS}${prefix}`;
  /** If an S3 server does not copy atomically, deleting the source during the copy can also remove the copy. */
  const runExclusive = createKeyedMutex();

  const store: BlobStore = {
    receive: async (source) => incomingBlob(await spool.toFile(await spool.receive(source))),

    async open(key) {
      const object = await bucket.get(objectKey(key));
      if (object === null) return null;
      return { size: object.size, stream: verified(object) };
    },

    sizeOf: async (key) => (await bucket.head(objectKey(key)))?.size ?? null,

    async readAtMost(key, limit) {
      const object = await bucket
        .get(objectKey(key), `bytes=0-${Math.max(limit, 1) - 1}`)
        .catch((error: unknown) => {
          if (error instanceof DomainError && isOutOfRange(error.cause)) return 'empty' as const;
          throw error;
        });
      if (object === null) return null;
      if (object === 'empty') return new Uint8Array();
      // A range has no checksum of its own; its length is known.
      return (await buffer(verified({ ...object, sha256: null }))).subarray(0, limit);
    },

    async copyTo(key, path) {
      const object = await bucket.get(objectKey(key));
      if (object === null) return null;
      try {
        await pipeline(verified(object), createWriteStream(path));
      } catch (error) {
        await rm(path, { force: true }).catch(() => {});
        throw asS3Error(error);
      }
      return object.size;
    },

    delete: (key) => bucket.delete(objectKey(key)),

    async *list() {
      for await (const { key, ...object } of bucket.list(prefix)) {
        const ownKey = key.slice(prefix.length);
        // Other programs may have put objects into the bucket.
        if (ownKey.split('/').every(isKeySegment)) yield { key: ownKey, ...object };
      }
    },

    orphan: (key) =>
      runExclusive(key, async () => {
        const from = objectKey(key);
        // It is already gone when another server sweeps at the same time.
        if (await bucket.copy(from, `${orphanPrefix}${key}`)) await bucket.delete(from);
      }),

    async *orphans() {
      for await (const { key, modifiedAt } of bucket.list(orphanPrefix)) {
        const ownKey = key.slice(orphanPrefix.length);
        if (ownKey.split('/').every(isKeySegment)) yield { key: ownKey, setAsideAt: modifiedAt };
      }
    },

    bringBack: (key) =>
      runExclusive(key, async () => {
        const to = objectKey(key);
        const from = `${orphanPrefix}${key}`;
        if ((await bucket.head(to)) !== null) return 'taken';
        if (!(await bucket.copy(from, to))) return 'missing';
        await bucket.delete(from);
        return 'back';
      }),

    async removeOrphan(key) {
      assertKey(key);
      await bucket.delete(`${orphanPrefix}${key}`);
    },

    note: {
      async read() {
        await bucket.checkReading();
        const object = await bucket.get(`${prefix}${NOTE_NAME}`);
        return object === null ? null : (await buffer(verified(object))).toString();
      },
      claim: (text) => bucket.putText(`${prefix}${NOTE_NAME}`, text, { isNewOnly: true }),
      async replace(text) {
        await bucket.putText(`${prefix}${NOTE_NAME}`, text, { isNewOnly: false });
      },
    },

    async peek(keys) {
      const found = await Promise.all(
        keys.map(async (key) => {
          const isThere = (await bucket.head(objectKey(key))) !== null;
          return isThere || (await bucket.head(`${orphanPrefix}${key}`)) !== null;
        }),
      );
      return { isEmpty: await hasNoObject(), present: found.filter(Boolean).length };
    },

    removeUnfinished: spool.removeUnfinished,

    async check() {
      await Promise.all([spool.check(), bucket.check()]);
    },
  };
  const place = `the bucket "${bucket.name}" (S3_BUCKET), or the folder ${spoolDir} before it,`;
  return watchFreeSpace(store, { place, trySpace: null, log });

  async function hasNoObject(): Promise<boolean> {
    for (const each of [prefix, orphanPrefix]) {
      for await (const { key } of bucket.list(each)) if (key !== `${prefix}${NOTE_NAME}`) return false;
    }
    return true;
  }

  function objectKey(key: string): string {
    assertKey(key);
    return `${prefix}${key}`;
  }

  function incomingBlob({ path, size, sha256 }: Spooled): IncomingBlob {
    let isSettled = false;
    return {
      size,
      sha256,
      file: async () => path,
      async publish(key, signal) {
        if (isSettled) throw new Error(`already published or discarded: ${key}`);
        const upload = { id: basename(path), path, size, sha256 };
        if (!(await bucket.putNew(objectKey(key), upload, signal))) return false;
        isSettled = true;
        await spool.removeQuietly(path);
        return true;
      },
      async discard() {
        if (isSettled) return;
        isSettled = true;
        await spool.removeQuietly(path);
      },
    };
  }

  /** The bytes of a body. The last ones are held back until size and checksum were verified. */
  function verified(object: { size: number; sha256: string | null; body: Readable }): Readable {
    const { body } = object;
    // An error without a listener must not end the process.
    body.on('error', () => {});
    const stream = Readable.from(checked(object), { objectMode: false });
    // Also if the reader closes it before the first byte, when the generator has not started.
    stream.once('close', () => body.destroy());
    return stream;
  }

  async function* checked({
    size,
    sha256,
    body,
  }: {
    size: number;
    sha256: string | null;
    body: Readable;
  }): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let received = 0;
    let held: Uint8Array | null = null;
    try {
      for await (const chunk of withoutStall(body)) {
        if (held !== null) yield held;
        hash.update(chunk);
        received += chunk.byteLength;
        held = chunk;
      }
    } catch (error) {
      throw asS3Error(error);
    }
    if (received !== size || (sha256 !== null && hash.digest('hex') !== sha256)) {
      throw new DomainError('UNAVAILABLE', 'The bytes in the storage are damaged.');
    }
    if (held !== null) yield held;
  }

  /** Measures only the time spent waiting for the storage, not for a slow reader. */
  async function* withoutStall(body: Readable): AsyncGenerator<Uint8Array> {
    const iterator: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
    for (;;) {
      const stalled = setTimeout(
        () => body.destroy(new DOMException(`nothing more came for ${stallMs} ms`, 'TimeoutError')),
        stallMs,
      );
      const { done, value } = await iterator.next().finally(() => clearTimeout(stalled));
      if (done === true) return;
      yield value;
    }
  }
}
