import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import pRetry from 'p-retry';
import { asS3Error, isMissingObject, isPassing } from './s3-errors.js';
import type { S3Settings } from './s3-settings.js';

/** What is known about an object before its first byte. */
export interface S3Object {
  readonly size: number;
  /** SHA-256 of its bytes, hexadecimal; null for an object of another program. */
  readonly sha256: string | null;
  /** The upload that has stored it. */
  readonly uploadId: string | null;
}

/** What was proven about a bucket lately. A failed call resets it. */
export interface Proven {
  /** When a write last succeeded; null: not since a call has failed. */
  at: number | null;
  /** The server returns what was put, and reports a key that was never written as missing. */
  isVerified: boolean;
}

export type S3Calls = ReturnType<typeof createS3Calls>;

const ATTEMPTS = 3;
const RETRY_AFTER_MS = 100;

/** The client writes some warnings to standard error by itself; relevant ones come as errors. */
const UNREPORTED = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * The client of one bucket, and calls with bounded time and a few attempts.
 * @param callLimitMs time limit of a call, its retries included; a body may take longer
 */
export function createS3Calls(
  settings: S3Settings,
  { callLimitMs, proven }: { callLimitMs: number; proven: Proven },
) {
  const Bucket = settings.bucket;
  const client = new S3Client({
    region: settings.region,
    forcePathStyle: settings.forcePathStyle,
    ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
    ...(settings.credentials === null ? {} : { credentials: settings.credentials }),
    // Retries are counted here: the client does not repeat a request whose body is a stream.
    maxAttempts: 1,
    // Our objects have their SHA-256 as metadata, and reads compare it here.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    logger: UNREPORTED,
    requestHandler: {
      connectionTimeout: callLimitMs / 2,
      httpAgent: { keepAlive: true, maxSockets: 100 },
      httpsAgent: { keepAlive: true, maxSockets: 100 },
    },
  });

  return { client, Bucket, callLimitMs, head, putText, calling, unlessMissing, failed };

  /** @returns null when the object certainly does not exist */
  async function head(key: string, stop?: AbortSignal): Promise<S3Object | null> {
    return unlessMissing(
      async (signal) =>
        described(await client.send(new HeadObjectCommand({ Bucket, Key: key }), { abortSignal: signal })),
      stop,
    );
  }

  /** Puts a short text in one call. */
  async function putText(key: string, text: string, isNewOnly: boolean): Promise<void> {
    await calling((signal) => {
      const command = new PutObjectCommand({
        Bucket,
        Key: key,
        Body: text,
        ...(isNewOnly ? { IfNoneMatch: '*' } : {}),
      });
      return client.send(command, { abortSignal: signal });
    });
  }

  async function unlessMissing<T>(
    work: (signal: AbortSignal) => Promise<T>,
    stop?: AbortSignal,
  ): Promise<T | null> {
    try {
      return await attempting(callLimitMs, work, stop);
    } catch (error) {
      if (isMissingObject(error)) return null;
      throw failed(error);
    }
  }

  async function calling<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await attempting(callLimitMs, work);
    } catch (error) {
      throw failed(error);
    }
  }

  /** The next readiness request then checks again. */
  function failed(error: unknown): unknown {
    proven.at = null;
    proven.isVerified = false;
    return asS3Error(error);
  }
}

/**
 * The time limit applies to the response, not to reading its body.
 * @param stop ends the call early, with all attempts
 */
export async function attempting<T>(
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new DOMException(`no answer within ${Math.round(limitMs)} ms`, 'TimeoutError')),
    limitMs,
  );
  const signal = stop === undefined ? limit.signal : AbortSignal.any([limit.signal, stop]);
  try {
    return await pRetry(() => work(signal), {
      retries: ATTEMPTS - 1,
      minTimeout: RETRY_AFTER_MS,
      factor: 3,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => isPassing(error),
    });
  } finally {
    clearTimeout(timer);
  }
}

export function described(answer: {
  ContentLength?: number | undefined;
  Metadata?: Record<string, string> | undefined;
}): S3Object {
  return {
    size: answer.ContentLength ?? 0,
    sha256: answer.Metadata?.sha256 ?? null,
    uploadId: answer.Metadata?.upload ?? null,
  };
}
