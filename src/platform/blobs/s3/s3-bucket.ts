import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import pRetry from 'p-retry';
import { DomainError } from '../../../errors.js';
import type { Logger } from '../../logger.js';
import { asS3Error, isMissingObject, isPassing, isTaken, isUnsupported, reasonOf } from './s3-errors.js';
import { createListProgress, noS3 } from './s3-honesty.js';
import type { S3Settings } from './s3-settings.js';

/** What is known of an object before its first byte. */
export interface S3Object {
  readonly size: number;
  /** Of its bytes, hexadecimal; null for what another program has put there. */
  readonly sha256: string | null;
  /** Who has put it there. */
  readonly uploadId: string | null;
}

interface S3Upload {
  id: string;
  path: string;
  size: number;
  sha256: string;
}

export type S3Bucket = ReturnType<typeof createS3Bucket>;

/** A call may take so long, its retries included, and a body so much longer as it takes at the slowest pace. */
const CALL_LIMIT_MS = 10_000;
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

const ATTEMPTS = 3;
const RETRY_AFTER_MS = 100;

/** A balancer asks for readiness every few seconds, and every write has its price. */
const CHECK_HOLDS_MS = 10_000;
/** For so long who asks waits for a check that began before; then it may be one that hangs. */
const CHECK_JOIN_MS = 1_000;
/** How often a bucket is looked at before it is said to give back other bytes, and what a few bytes may take. */
const [CHECK_LOOKS, CHECK_PAUSE_MS, CHECK_BODY_MS] = [4, 250, 500];
const CHECK_KEY = '.check';
const CHECK_TEXT = 'Can this bucket be written?\n';

/** The client writes some of its warnings to standard error by itself; what matters comes as an error. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

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
  const Bucket = settings.bucket;
  const client = new S3Client({
    region: settings.region,
    forcePathStyle: settings.forcePathStyle,
    ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
    ...(settings.credentials === null ? {} : { credentials: settings.credentials }),
    // Attempts are ours to count: the client does not repeat what it reads from a stream.
    maxAttempts: 1,
    // Every object that we put has its SHA-256, which is compared here when it is read.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    logger: SILENT,
    requestHandler: {
      connectionTimeout: callLimitMs / 2,
      httpAgent: { keepAlive: true, maxSockets: 100 },
      httpsAgent: { keepAlive: true, maxSockets: 100 },
    },
  });
  let isConditional: boolean | null = null;
  let isHonest = false;
  let checkedAt: number | null = null;
  let checking: Promise<void> | null = null;

  return {
    name: Bucket,

    /**
     * Puts a file under a key that must be new. Where the server knows conditional writes (AWS since 2024, MinIO,
     * Cloudflare R2) it decides, also among several that come at once. Where it does not, a look beforehand does.
     *
     * @param upload.id tells this upload from every other, also when an answer was lost on the way
     * @param signal aborted when nobody waits for the answer any more
     * @returns false, and nothing changed, when the key is taken
     */
    async putNew(key: string, upload: S3Upload, signal?: AbortSignal): Promise<boolean> {
      isConditional ??= await probeConditionalWrites();
      // A look is cheaper than sending for nothing what is likely to be there: the same build again.
      if (!isConditional || upload.size > 1024 * 1024) {
        const present = await head(key, signal);
        if (present !== null) {
          // Whatever we put says its hash: an object without may be none.
          if (present.sha256 === null) await proveHonesty();
          return present.uploadId === upload.id;
        }
      }
      try {
        await putFile(key, upload, isConditional, signal);
        return true;
      } catch (error) {
        // Taken by ourselves, if an attempt arrived whose answer did not.
        if (isTaken(error)) return (await head(key, signal))?.uploadId === upload.id;
        await takeBack(key, upload.id);
        throw failed(error);
      }
    },

    /**
     * Puts a short text. @returns false, and nothing changed, when the key must be new and is taken
     */
    async putText(key: string, text: string, { isNewOnly }: { isNewOnly: boolean }): Promise<boolean> {
      if (!isNewOnly) {
        await putSmall(key, text, false);
        return true;
      }
      isConditional ??= await probeConditionalWrites();
      if (!isConditional && (await head(key)) !== null) return false;
      try {
        await putSmall(key, text, isConditional);
        return true;
      } catch (error) {
        if (isTaken(error instanceof DomainError ? error.cause : error)) return false;
        throw error;
      }
    },

    head,

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

    /**
     * Proves that the bucket can be written now, or could be some seconds ago. Who asks while others do shares what they
     * prove: of two at once, one would read what the other is writing. @throws DomainError with the reason
     */
    async check(): Promise<void> {
      if (checkedAt !== null && now() - checkedAt < CHECK_HOLDS_MS) return;
      const before = checking;
      // It may fail for what has passed since: only its success is an answer to who asked later.
      if (before !== null && (await succeedsSoon(before))) return;
      if (checking === null || checking === before) checking = startCheck();
      await checking;
    },

    /** What `check` does first, without writing: for who reads before he may write. @throws DomainError with the reason */
    async checkReading(): Promise<void> {
      await proveMissing().catch((error: unknown) => {
        throw unusable('cannot be read', error);
      });
    },

    close: () => client.destroy(),
  };

  function startCheck(): Promise<void> {
    const started = proveWriting().finally(() => {
      if (checking === started) checking = null;
    });
    return started;
  }

  async function proveWriting(): Promise<void> {
    checkedAt = null;
    try {
      await putSmall(CHECK_KEY, CHECK_TEXT, false);
      isConditional ??= await probeConditionalWrites();
      if (!isHonest) await proveHonesty();
      isHonest = true;
    } catch (error) {
      throw unusable('cannot be written', error);
    }
    checkedAt = now();
  }

  function unusable(what: string, error: unknown): DomainError {
    const where = settings.endpoint === null ? '' : ` at ${settings.endpoint}`;
    const code = error instanceof DomainError ? error.code : 'UNAVAILABLE';
    const message = `S3_BUCKET, S3_ENDPOINT: the bucket "${Bucket}"${where} ${what}: ${reasonOf(error)}`;
    return new DomainError(code, message, { cause: error });
  }

  async function head(key: string, stop?: AbortSignal): Promise<S3Object | null> {
    return unlessMissing(
      async (signal) =>
        described(await client.send(new HeadObjectCommand({ Bucket, Key: key }), { abortSignal: signal })),
      stop,
    );
  }

  async function putFile(
    key: string,
    upload: S3Upload,
    isNewOnly: boolean,
    stop: AbortSignal | undefined,
  ): Promise<void> {
    const limitMs = callLimitMs + (upload.size / SLOWEST_BYTES_PER_SECOND) * 1000;
    const put = async (signal: AbortSignal) => {
      const body = createReadStream(upload.path);
      const broken = new AbortController();
      body.on('error', (error) => broken.abort(error));
      const command = new PutObjectCommand({
        Bucket,
        Key: key,
        Body: body,
        ContentLength: upload.size,
        ContentType: 'application/octet-stream',
        ChecksumSHA256: Buffer.from(upload.sha256, 'hex').toString('base64'),
        Metadata: { sha256: upload.sha256, upload: upload.id },
        ...(isNewOnly ? { IfNoneMatch: '*' } : {}),
      });
      signPayload(command, upload.sha256);
      try {
        const { ETag } = await client.send(command, {
          abortSignal: AbortSignal.any([signal, broken.signal]),
        });
        // S3 names what it has stored; whatever else stands in its place and says 200 has stored nothing.
        if (ETag === undefined) throw noS3('it acknowledged an object without naming its ETag');
      } catch (error) {
        throw broken.signal.aborted ? broken.signal.reason : error;
      } finally {
        body.destroy();
      }
    };
    await attempting(limitMs, put, stop);
  }

  async function putSmall(key: string, text: string, isNewOnly: boolean): Promise<void> {
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

  /** Servers that do not know the condition ignore or refuse it. */
  async function probeConditionalWrites(): Promise<boolean> {
    await putSmall(CHECK_KEY, CHECK_TEXT, false);
    try {
      await putSmall(CHECK_KEY, CHECK_TEXT, true);
    } catch (error) {
      const cause = error instanceof DomainError ? error.cause : error;
      if (isTaken(cause)) return true;
      if (!isUnsupported(cause)) throw error;
    }
    log?.warn({ bucket: Bucket }, 'this S3 server has no conditional writes: a look beforehand stands in');
    return false;
  }

  /** A proxy or another program in its place may say 200 to everything: then 201 would promise what nobody has. */
  async function proveHonesty(): Promise<void> {
    await proveMissing();
    // Another server may be putting it right now, and not every S3 does that at one stroke.
    for (let look = 1; (await readCheck()) !== CHECK_TEXT; look++) {
      if (look === CHECK_LOOKS) throw failed(noS3('it does not give back what was put'));
      await pause(CHECK_PAUSE_MS);
    }
  }

  /**
   * What came of it; null for what ended before its time. Where an object is not replaced at one stroke, its size may be
   * told before its bytes are there, and then they never come.
   */
  async function readCheck(): Promise<string | null> {
    const request = new GetObjectCommand({ Bucket, Key: CHECK_KEY, Range: `bytes=0-${CHECK_TEXT.length}` });
    const { Body } = await calling((signal) => client.send(request, { abortSignal: signal }));
    if (!(Body instanceof Readable)) return null;
    const late = setTimeout(() => Body.destroy(), CHECK_BODY_MS);
    try {
      return await text(Body);
    } catch {
      return null;
    } finally {
      clearTimeout(late);
    }
  }

  async function proveMissing(): Promise<void> {
    const missing = await head(`${CHECK_KEY}-${randomUUID()}`);
    if (missing !== null) throw failed(noS3('it says that an object is there which nobody has put there'));
  }

  /** An attempt whose answer did not come may have arrived all the same. Best effort: the sweep finds what stays. */
  async function takeBack(key: string, uploadId: string): Promise<void> {
    const signal = AbortSignal.timeout(callLimitMs / 4);
    const request = { Bucket, Key: key };
    try {
      const present = described(await client.send(new HeadObjectCommand(request), { abortSignal: signal }));
      if (present.uploadId !== uploadId) return;
      await client.send(new DeleteObjectCommand(request), { abortSignal: signal });
    } catch {
      // Whoever asks is told of the first failure.
    }
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

  /** Whoever asks for readiness next is not told of better days. */
  function failed(error: unknown): unknown {
    checkedAt = null;
    isHonest = false;
    return asS3Error(error);
  }
}

/** False for what has failed, and for what takes too long. */
async function succeedsSoon(work: Promise<void>): Promise<boolean> {
  const succeeded = work.then(
    () => true,
    () => false,
  );
  return Promise.race([succeeded, pause(CHECK_JOIN_MS, false, { ref: false })]);
}

/**
 * The signal ends the wait for an answer, not the reading of its body.
 * @param stop ends it before its time, and all attempts with it
 */
async function attempting<T>(
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

/** What signs the request takes this header for the hash of the body, which it could not read twice. */
function signPayload(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      if (hasHeaders(request)) request.headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'signPayload' },
  );
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}

function described(answer: {
  ContentLength?: number | undefined;
  Metadata?: Record<string, string> | undefined;
}): S3Object {
  return {
    size: answer.ContentLength ?? 0,
    sha256: answer.Metadata?.sha256 ?? null,
    uploadId: answer.Metadata?.upload ?? null,
  };
}
