import type { Readable } from 'node:stream';

/**
 * Durable storage of immutable bytes under `/`-separated keys. Makers: files (`file-blobs.ts`).
 *
 * Every method rejects with a `DomainError`: `STORAGE_FULL` when there is no room, `UNAVAILABLE` when the storage
 * cannot be reached or fails (the caller may try again); `open` and `copyTo` answer `null` for a missing key, which is
 * a fact, not a failure.
 */
export interface BlobStore {
  /**
   * Takes bytes in, hashing and counting them. The result is invisible to the other methods, and not durable, until it
   * is published. When the source fails nothing remains, and the source's error is thrown.
   */
  receive(source: AsyncIterable<Uint8Array>): Promise<IncomingBlob>;
  /** The bytes of a blob; `size` is known before the first byte is read. */
  open(key: string): Promise<{ size: number; stream: Readable } | null>;
  /** The first `limit` bytes of a blob at most. */
  readAtMost(key: string, limit: number): Promise<Uint8Array | null>;
  /** Copies a blob into a plain file of the local machine. Answers its size. */
  copyTo(key: string, path: string): Promise<number | null>;
  /** Removing what is not there is not an error. */
  delete(key: string): Promise<void>;
  /** Every published blob, in no particular order. */
  list(): AsyncIterable<{ key: string; size: number; modifiedAt: Date }>;
  /** Sets a blob aside under `.orphans/`, out of sight of every other method but `purgeOrphans`. */
  orphan(key: string): Promise<void>;
  /** Removes orphans that were set aside before `before`. Answers how many. */
  purgeOrphans(before: Date): Promise<number>;
  /**
   * Removes what earlier runs left unfinished. To be called before the first `receive`. Answers how many.
   *
   * @param before where others may be receiving: only what got its last bytes before that
   */
  removeUnfinished(before?: Date): Promise<number>;
  /** Proves that the storage can be written now; rejects with the reason. */
  check(): Promise<void>;
}

export interface IncomingBlob {
  readonly size: number;
  /** hexadecimal */
  readonly sha256: string;
  /** Path of a file with the bytes on the local machine, for a look inside before they are published. */
  file(): Promise<string>;
  /**
   * Gives the bytes their key, durably. Answers false, and changes nothing, when the key is taken: a key is never
   * written twice.
   *
   * @param signal aborted when nobody waits for it any more: then it may give up, and rejects
   */
  publish(key: string, signal?: AbortSignal): Promise<boolean>;
  /** Forgets the bytes; also safe after `publish`, when it does nothing. */
  discard(): Promise<void>;
}
