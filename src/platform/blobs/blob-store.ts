import type { Readable } from 'node:stream';

/**
 * Durable storage of immutable bytes under `/`-separated keys. Makers: files (`files/file-blobs.ts`), a bucket (`s3/s3-blobs.ts`).
 *
 * Every method rejects with a `DomainError`: `STORAGE_FULL` when there is no free space, `UNAVAILABLE` when the storage
 * cannot be reached or fails (the caller may try again); what reads answers `null` for a missing key, which is a fact,
 * not a failure.
 */
export interface BlobStore {
  /**
   * Takes bytes in, hashing and counting them. The result is invisible to the other methods, and not durable, until it
   * is published. When the source fails nothing remains, and the source's error is thrown.
   */
  receive(source: AsyncIterable<Uint8Array>): Promise<IncomingBlob>;
  /** The bytes of a blob; `size` is known before the first byte is read. */
  open(key: string): Promise<{ size: number; stream: Readable } | null>;
  /** How many bytes a blob has; null when there is none. */
  sizeOf(key: string): Promise<number | null>;
  /** The first `limit` bytes of a blob at most. */
  readAtMost(key: string, limit: number): Promise<Uint8Array | null>;
  /** Copies a blob into a plain file of the local machine. Answers its size. */
  copyTo(key: string, path: string): Promise<number | null>;
  /** Removing what is not there is not an error. */
  delete(key: string): Promise<void>;
  /** Every published blob, in no particular order. */
  list(): AsyncIterable<{ key: string; size: number; modifiedAt: Date }>;
  /** Sets a blob aside under `.orphans/`, out of sight of the methods above. One that is gone is not an error. */
  orphan(key: string): Promise<void>;
  /** Every blob that is set aside. */
  orphans(): AsyncIterable<{ key: string; setAsideAt: Date }>;
  /** Gives a blob that is set aside its key back, durably, unless there is one with that key. */
  bringBack(key: string): Promise<BroughtBack>;
  /** Removes a blob that is set aside, for good. */
  removeOrphan(key: string): Promise<void>;
  /** Whose storage it is. */
  readonly note: StorageNote;
  /** A look that leaves no trace in the storage, not even a folder. Blobs that are set aside are there as well. */
  peek(keys: readonly string[]): Promise<{ isEmpty: boolean; present: number }>;
  /**
   * Removes what earlier runs left unfinished. To be called before the first `receive`. Answers how many.
   *
   * @param before where others may be receiving: only what got its last bytes before that
   */
  removeUnfinished(before?: Date): Promise<number>;
  /** Proves that the storage can be written now; rejects with the reason. */
  check(): Promise<void>;
}

export type BroughtBack = 'back' | 'taken' | 'missing';

/** A short text in the storage, beside the blobs. */
export interface StorageNote {
  /** Null when there is none. Leaves no trace. */
  read(): Promise<string | null>;
  /** Writes the first one, durably. Answers false, and changes nothing, when there is one. */
  claim(text: string): Promise<boolean>;
  /** Writes it durably, whatever was there. */
  replace(text: string): Promise<void>;
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
