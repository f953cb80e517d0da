import type { Readable } from 'node:stream';

/**
 * Durable storage of immutable bytes under `/`-separated keys. Implementations: files (`files/file-blobs.ts`) and a
 * bucket (`s3/s3-blobs.ts`).
 *
 * Every method rejects with a `DomainError`: `STORAGE_FULL` without free space, `UNAVAILABLE` when the storage cannot
 * be reached or fails (the caller may retry). Methods that read return `null` for a missing key: that is not an error.
 */
export interface BlobStore {
  /**
   * Receives bytes, and hashes and counts them. The result is not durable, and invisible to the other methods, until it
   * is published. When the source fails, nothing is kept and the source's error is thrown.
   */
  receive(source: AsyncIterable<Uint8Array>): Promise<IncomingBlob>;
  /** Opens a blob; `size` is known before the first byte is read. */
  open(key: string): Promise<{ size: number; stream: Readable } | null>;
  /** The size of a blob in bytes; null when it does not exist. */
  sizeOf(key: string): Promise<number | null>;
  /** At most the first `limit` bytes of a blob. */
  readAtMost(key: string, limit: number): Promise<Uint8Array | null>;
  /** Copies a blob into a plain file of the local machine. @returns its size */
  copyTo(key: string, path: string): Promise<number | null>;
  /** A missing blob is not an error. */
  delete(key: string): Promise<void>;
  /** All published blobs, in no particular order. */
  list(): AsyncIterable<{ key: string; size: number; modifiedAt: Date }>;
  /** Moves a blob into `.orphans/`, where the methods above do not see it. A missing blob is not an error. */
  orphan(key: string): Promise<void>;
  /** All blobs that were set aside. */
  orphans(): AsyncIterable<{ key: string; setAsideAt: Date }>;
  /** Restores the key of a blob that was set aside, durably, unless a blob with that key exists. */
  bringBack(key: string): Promise<BroughtBack>;
  /** Deletes a blob that was set aside. */
  removeOrphan(key: string): Promise<void>;
  /** Identifies the installation of the storage. */
  readonly note: StorageNote;
  /** Whether the storage is empty; blobs that are set aside count. Changes nothing, and creates no folder. */
  peek(keys: readonly string[]): Promise<{ isEmpty: boolean; present: number }>;
  /**
   * Removes unfinished uploads of earlier runs. Call it before the first `receive`. @returns their number
   *
   * @param before required if other servers may be receiving: only uploads whose last bytes are older
   */
  removeUnfinished(before?: Date): Promise<number>;
  /** Proves that the storage can be written now; rejects with the reason. */
  check(): Promise<void>;
}

export type BroughtBack = 'back' | 'taken' | 'missing';

/** A short text in the storage, beside the blobs. */
export interface StorageNote {
  /** Null when there is none. Changes nothing. */
  read(): Promise<string | null>;
  /** Writes the text durably if there is none. @returns false, without a change, if there is one */
  claim(text: string): Promise<boolean>;
  /** Writes the text durably, and replaces an existing one. */
  replace(text: string): Promise<void>;
}

export interface IncomingBlob {
  readonly size: number;
  /** hexadecimal */
  readonly sha256: string;
  /** Path of a local file with the bytes, to inspect them before they are published. */
  file(): Promise<string>;
  /**
   * Gives the bytes their key, durably. @returns false, without a change, when the key exists: a key is never written
   * twice
   *
   * @param signal aborted when no caller waits any more: then it may stop, and rejects
   */
  publish(key: string, signal?: AbortSignal): Promise<boolean>;
  /** Discards the bytes; does nothing after `publish`. */
  discard(): Promise<void>;
}
