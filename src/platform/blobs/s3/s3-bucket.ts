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

/** Of a call, its retries included. */
const CALL_LIMIT_MS = 10_000;

export type S3Bucket = ReturnType<typeof createS3Bucket>;

/**
 * The calls to a bucket that a blob store needs, each with bounded time and a few attempts.
 *
 * Objects are put whole, in one request with the SHA-256 of its bytes in it, twice: as a checksum, which AWS and other
 * new servers keep and compare, and as the hash of the signed payload, which every server compares that verifies
 * signatures in full. So there is never a part of an object in the bucket, and what arrives damaged is refused. One
 * request may have 5 GiB, which is more than a dump or a build may be.
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
     * Puts a file under a key that must be new. Where the server knows conditional writes (AWS since 2024, MinIO,
     * Cloudflare R2) it decides, also among several that come at once. Where it does not, a look beforehand does.
     *
     * @param upload.id tells this upload from every other, also when an answer did not arrive
     * @param signal aborted when nobody waits for the answer any more
     * @returns false, and nothing changed, when the key is taken
     */
    async putNew(key: string, upload: S3Upload, signal?: AbortSignal): Promise<boolean> {
      const isConditional = await knowsConditions();
      // A look is cheaper than sending for nothing what is likely to be there: the same build again.
      if (!isConditional || upload.size > 1024 * 1024) {
        const present = await head(key, signal);
        if (present !== null) {
          // Whatever we put says its hash: an object without may be none.
          if (present.sha256 === null) await proveStorage();
          return present.uploadId === upload.id;
        }
      }
      try {
        await putFile(calls, key, upload, isConditional, signal);
        return true;
      } catch (error) {
        // Taken by ourselves, if an attempt arrived whose answer did not.
        if (isTaken(error)) return (await head(key, signal))?.uploadId === upload.id;
        await takeBack(calls, key, upload.id);
        throw failed(error);
      }
    },

    /**
     * Puts a short text. @returns false, and nothing changed, when the key must be new and is taken
     */
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

    /** @param range as in the header: `bytes=0-99`. @returns null when there is no such object, for certain */
    async get(key: string, range?: string): Promise<(S3Object & { body: Readable }) | null> {
      const request = { Bucket, Key: key, ...(range === undefined ? {} : { Range: range }) };
      return unlessMissing(async (signal) => {
        const answer = await client.send(new GetObjectCommand(request), { abortSignal: signal });
        if (!(answer.Body instanceof Readable))
          throw new Error('the S3 client gave a body that is no stream');
        return { ...described(answer), body: answer.Body };
      });
    },

    async delete(key: string): Promise<void> {
      await calling((signal) =>
        client.send(new DeleteObjectCommand({ Bucket, Key: key }), { abortSignal: signal }),
      );
    },

    /** Answers false when there is nothing to copy. */
    async copy(from: string, to: string): Promise<boolean> {
      const CopySource = `${Bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
      const copied = await unlessMissing((signal) =>
        client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource }), { abortSignal: signal }),
      );
      return copied !== null;
    },

    /** @throws DomainError UNAVAILABLE also when the pages have no end, or are no answer to the question */
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
