import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { DomainError } from '../../../errors.js';
import type { Logger } from '../../logger.js';
import { notS3 } from './s3-answers.js';
import type { Proven, S3Calls } from './s3-calls.js';
import { isTaken, isUnsupported, reasonOf } from './s3-errors.js';
import type { S3Settings } from './s3-settings.js';

/** Load balancers poll readiness every few seconds, and every write costs money. */
const CHECK_HOLDS_MS = 10_000;
/** A caller waits this long for a check that another caller started; after that it may be one that hangs. */
const CHECK_JOIN_MS = 1_000;
/** Reads of the check object before the bucket is considered wrong, and the time limit of one read. */
const [CHECK_LOOKS, CHECK_PAUSE_MS, CHECK_BODY_MS] = [4, 250, 500];
const CHECK_KEY = '.check';
const CHECK_TEXT = 'Can this bucket be written?\n';

/** Proves with a small object that a bucket can be written and that the server behaves like S3. */
export function createS3Check({
  calls,
  settings,
  proven,
  log,
  now,
}: {
  calls: S3Calls;
  settings: S3Settings;
  proven: Proven;
  log: Logger | undefined;
  now: () => number;
}) {
  const { client, Bucket, head, putText, calling, failed } = calls;
  let isConditional: boolean | null = null;
  let checking: Promise<void> | null = null;

  return {
    /**
     * Proves that the bucket can be written now, or could be some seconds ago. Concurrent callers share one check,
     * because two checks at once would read what the other is writing.
     * @throws DomainError with the reason
     */
    async check(): Promise<void> {
      if (proven.at !== null && now() - proven.at < CHECK_HOLDS_MS) return;
      const before = checking;
      // It may have failed because of an earlier problem: for a later caller only its success counts.
      if (before !== null && (await succeedsSoon(before))) return;
      if (checking === null || checking === before) checking = startCheck();
      await checking;
    },

    /** The first part of `check`, without writing, for commands that read first. @throws DomainError with the reason */
    async checkReading(): Promise<void> {
      await proveMissing().catch((error: unknown) => {
        throw unusable('cannot be read', error);
      });
    },

    /** Whether the server supports conditional writes; tested once. */
    async knowsConditions(): Promise<boolean> {
      isConditional ??= await probeConditionalWrites();
      return isConditional;
    },

    proveStorage,
  };

  function startCheck(): Promise<void> {
    const started = proveWriting().finally(() => {
      if (checking === started) checking = null;
    });
    return started;
  }

  async function proveWriting(): Promise<void> {
    proven.at = null;
    try {
      await putText(CHECK_KEY, CHECK_TEXT, false);
      isConditional ??= await probeConditionalWrites();
      if (!proven.isVerified) await proveStorage();
      proven.isVerified = true;
    } catch (error) {
      throw unusable('cannot be written', error);
    }
    proven.at = now();
  }

  function unusable(what: string, error: unknown): DomainError {
    const where = settings.endpoint === null ? '' : ` at ${settings.endpoint}`;
    const code = error instanceof DomainError ? error.code : 'UNAVAILABLE';
    const message = `S3_BUCKET, S3_ENDPOINT: the bucket "${Bucket}"${where} ${what}: ${reasonOf(error)}`;
    return new DomainError(code, message, { cause: error });
  }

  /** Servers without conditional writes ignore or refuse the header. */
  async function probeConditionalWrites(): Promise<boolean> {
    await putText(CHECK_KEY, CHECK_TEXT, false);
    try {
      await putText(CHECK_KEY, CHECK_TEXT, true);
    } catch (error) {
      const cause = error instanceof DomainError ? error.cause : error;
      if (isTaken(cause)) return true;
      if (!isUnsupported(cause)) throw error;
    }
    log?.warn(
      { bucket: Bucket },
      'this S3 server has no conditional writes: keys are checked before each write instead',
    );
    return false;
  }

  /**
   * A proxy or another program may answer 200 to every request: then a 201 would acknowledge an upload that no one
   * stored.
   */
  async function proveStorage(): Promise<void> {
    await proveMissing();
    // Another server may be writing the object now, and not every S3 server replaces objects atomically.
    for (let look = 1; (await readCheck()) !== CHECK_TEXT; look++) {
      if (look === CHECK_LOOKS) throw failed(notS3('it does not return what was put'));
      await pause(CHECK_PAUSE_MS);
    }
  }

  /**
   * The text that was read; null if it ended early. If objects are not replaced atomically, the size may be known
   * before the bytes exist, and then they never arrive.
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
    if (missing !== null) throw failed(notS3('it reports an object that was never put'));
  }
}

/** False after a failure, and after the time limit. */
async function succeedsSoon(work: Promise<void>): Promise<boolean> {
  const succeeded = work.then(
    () => true,
    () => false,
  );
  return Promise.race([succeeded, pause(CHECK_JOIN_MS, false, { ref: false })]);
}
