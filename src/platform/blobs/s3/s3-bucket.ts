import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { DomainError } from '../../../errors.js';
import type { Logger } from '../../logger.js';
import { createListProgress } from './s3-answers.js';
import { createS3Calls, described, type Proven, type S3Object } from './s3-calls.js';
import { createS3Check } from './s3-check.js';
import { isTaken } from './s3-errors.js';
import { putFile, type S3Upload, takeBack } from './s3-put.js';
import type { S3Settings } from './s3-settings.js';

/** Time limit of a call, its retries included. */
const CALL_LIMIT_MS = 10_000;

export type S3Bucket = ReturnType<typeof createS3Bucket>;

/**
 * The calls that a blob store makes to a bucket, each with bounded time and a few attempts.
 *
 * Objects are put whole, in one request that has the SHA-256 of the bytes twice: as a checksum, which AWS and other new
 * servers store and compare, and as the payload hash of the signature, which every server compares that fully verifies
 * signatures. So the bucket never has a part of an object, and damaged bytes are refused. One request may have 5 GiB,
 * which is more than the limit of a dump or a build.
 *
 * @throws DomainError STORAGE_FULL or UNAVAILABLE, from every call
 */
export function createS3Bucket(
  settings: S3Settings,
  {
    log,
    callLimitMs = CALL_LIMIT_MS,
    now = () => performance.now(),
  }: { log?: Logger; callLimitMs?: number; now?: () => number } = {},
) {
  const proven: Proven = { at: null, isVerified: false };
  const calls = createS3Calls(settings, { callLimitMs, proven });
  const { client, Bucket, head, calling, unlessMissing, failed } = calls;
  const { check, checkReading, knowsConditions, proveStorage } = createS3Check({
    calls,
    settings,
    proven,
    log,
    now,
  });

  return {
    name: Bucket,

    /**
     * Puts a file under a new key. If the server supports conditional writes (AWS since 2024, MinIO, Cloudflare R2), it
     * decides, also between concurrent uploads. If not, a check before the upload decides.
     *
     * @param upload.id distinguishes this upload from every other, also when its response did not arrive
     * @param signal aborted when no caller waits any more
     * @returns false, without a change, when the key exists
     */
    async putNew(key: string, upload: S3Upload, signal?: AbortSignal): Promise<boolean> {
      const isConditional = await knowsConditions();
      // A check is cheaper than a needless upload of an object that is likely to exist: the same build again.
      if (!isConditional || upload.size > 1024 * 1024) {
        const present = await head(key, signal);
        if (present !== null) {
          // Our objects always have a hash: without one, the answer may not come from S3.
          if (present.sha256 === null) await proveStorage();
          return present.uploadId === upload.id;
        }
      }
      try {
        await putFile(calls, key, upload, isConditional, signal);
        return true;
      } catch (error) {
        // We stored it ourselves, if an earlier attempt arrived and its response did not.
        if (isTaken(error)) return (await head(key, signal))?.uploadId === upload.id;
        await takeBack(calls, key, upload.id);
        throw failed(error);
      }
    },

    /** Puts a short text. @returns false, without a change, when the key must be new and exists */
    async putText(key: string, text: string, { isNewOnly }: { isNewOnly: boolean }): Promise<boolean> {
      if (!isNewOnly) {
        await calls.putText(key, text, false);
        return true;
      }
      const isConditional = await knowsConditions();
      if (!isConditional && (await head(key)) !== null) return false;
      try {
        await calls.putText(key, text, isConditional);
        return true;
      } catch (error) {
        if (isTaken(error instanceof DomainError ? error.cause : error)) return false;
        throw error;
      }
    },

    head,

    check,

    checkReading,

    /** @param range as in the header: `bytes=0-99`. @returns null when the object certainly does not exist */
    async get(key: string, range?: string): Promise<(S3Object & { body: Readable }) | null> {
      const request = { Bucket, Key: key, ...(range === undefined ? {} : { Range: range }) };
      return unlessMissing(async (signal) => {
        const answer = await client.send(new GetObjectCommand(request), { abortSignal: signal });
        if (!(answer.Body instanceof Readable))
          throw new Error('the S3 client returned a body that is not a stream');
        return { ...described(answer), body: answer.Body };
      });
    },

    async delete(key: string): Promise<void> {
      await calling((signal) =>
        client.send(new DeleteObjectCommand({ Bucket, Key: key }), { abortSignal: signal }),
      );
    },

    /** @returns false when there is nothing to copy */
    async copy(from: string, to: string): Promise<boolean> {
      const CopySource = `${Bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
      const copied = await unlessMissing((signal) =>
        client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource }), { abortSignal: signal }),
      );
      return copied !== null;
    },

    /** @throws DomainError UNAVAILABLE, also when the pages never end or do not answer the request */
    async *list(prefix: string): AsyncGenerator<{ key: string; size: number; modifiedAt: Date }> {
      const progress = createListProgress(prefix);
      let from: string | undefined;
      do {
        const request = {
          Bucket,
          Prefix: prefix,
          ...(from === undefined ? {} : { ContinuationToken: from }),
        };
        const page = await calling((signal) =>
          client.send(new ListObjectsV2Command(request), { abortSignal: signal }),
        );
        const next = progress.after(page);
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          if (Key !== undefined) yield { key: Key, size: Size ?? 0, modifiedAt: LastModified ?? new Date(0) };
        }
        from = next;
      } while (from !== undefined);
    },

    close: () => client.destroy(),
  };
}
