import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import pRetry from 'p-retry';
import { DomainError, type DomainErrorCode } from '../errors.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import { asDomainError } from '../platform/database/errors.js';
import type { Logger } from '../platform/logger.js';
import type { LostDumps } from './lost-dumps.js';
import {
  failure,
  type Prepared,
  type PreparedWithoutBuild,
  resultOf,
  resultWithoutBuild,
  unableToParse,
} from './parse-result.js';
import type { Hold, ParseState } from './parse-state.js';
import type { ParseTask } from './parse-task.js';
import { type BuildFinder, createPreparation, type TransferFiles } from './prepare-parse.js';
import type { SidecarClient } from './sidecar-client.js';
import type { ParseResult } from './store-reading.js';
import type { CoredumpRow, ParseErrorKind } from './types.js';

const MAX_ATTEMPTS = 3;

export type ParseOutcome =
  | { status: 'finished'; coredump: CoredumpRow; errorKind: ParseErrorKind | null }
  /** The dump was deleted or requeued, or another server has it: nothing was changed. */
  | { status: 'superseded' }
  /** Storage or database were unavailable: the dump is postponed, and no attempt was counted. */
  | { status: 'postponed' }
  /** The server stops; another server, or the next start, parses the dump. */
  | { status: 'released' };

/**
 * Parses one dump, from PENDING to its end: at most three attempts of the sidecar, counted in the row, with growing
 * random pauses between them. A dump that cannot be read, or whose firmware is missing, ends at once.
 *
 * Failures of our own storage and database are not attempts. They are retried after a moment; if that does not help,
 * the dump is released without a counted attempt and postponed, with a pause that grows each time.
 */
export function createParseJob(deps: ParseJobDeps) {
  const { state, sidecar, xferDir, retryDelayMs, log } = deps;
  const prepare = createPreparation(deps);
  /** Consecutive postponements of each dump. */
  const postponements = new LRUCache<number, number>({ max: REMEMBERED });

  return async function parse(task: ParseTask, stop: AbortSignal): Promise<ParseOutcome> {
    const hold = state.hold(task);
    try {
      const outcome = await runToEnd(hold, stop);
      postponements.delete(task.coredumpId);
      return outcome;
    } catch (error) {
      if (!stop.aborted && isPassing(error)) return postpone(hold, error, stop);
      if (!stop.aborted) throw error;
      return release(hold);
    }
  };

  async function runToEnd(hold: Hold, stop: AbortSignal): Promise<ParseOutcome> {
    try {
      return await pRetry(() => attempt(hold, stop), {
        ...backoff(retryDelayMs),
        retries: MAX_ATTEMPTS - 1,
        signal: stop,
        // The row decides whether attempts are left, not p-retry: attempts before a restart count too.
        shouldRetry: ({ error }) => error instanceof FailedAttempt && error.number < MAX_ATTEMPTS,
      });
    } catch (error) {
      if (stop.aborted || isPassing(error)) throw error;
      if (error instanceof FailedAttempt) {
        const result = error.withoutBuild ?? failure('failed', unableToParse(error.message, hold.task.kind));
        return end(hold, result, stop);
      }
      log.error({ err: error, ...logFieldsOf(hold.task) }, 'parse failed');
      return end(hold, failure('failed', unableToParse('an internal error')), stop);
    }
  }

  /** @throws FailedAttempt when the sidecar failed; the error of storage or database when they are unavailable */
  async function attempt(hold: Hold, stop: AbortSignal): Promise<ParseOutcome> {
    const begunAt = performance.now();
    const number = await withRetries(() => state.begin(hold, MAX_ATTEMPTS), stop);
    if (number === 'not ours') return { status: 'superseded' };
    if (number === 'exhausted') {
      const reason = `the server stopped during the last of ${MAX_ATTEMPTS} attempts`;
      return end(hold, failure('failed', unableToParse(reason)), stop);
    }
    hold.usedAttempts = number - 1;
    const result = await readOnce(hold, number, stop, begunAt);
    return result === 'not ours' ? { status: 'superseded' } : end(hold, result, stop);
  }

  async function readOnce(
    hold: Hold,
    number: number,
    stop: AbortSignal,
    begunAt: number,
  ): Promise<ParseResult | 'not ours'> {
    const { task } = hold;
    const base = `coredock-${task.coredumpId}-${task.generation}-${number}-${randomBytes(6).toString('hex')}`;
    const files: TransferFiles = { core: join(xferDir, `${base}.dmp`), elf: join(xferDir, `${base}.elf`) };
    try {
      const prepared = await withRetries(() => prepare(task, files), stop);
      if (prepared === 'not ours' || 'errorKind' in prepared) return prepared;
      await noteLook(hold, prepared, stop);
      // Copying dump and ELF may have taken long (a slow storage): renew the lease for the full time limit of the
      // sidecar.
      const isStillOurs =
        performance.now() - begunAt < RENEW_AFTER_MS || (await withRetries(() => state.renew(hold), stop));
      if (!isStillOurs) return 'not ours';
      const elf = prepared.firmware === null ? null : `${base}.elf`;
      const answer = await sidecar.parse({ core: `${base}.dmp`, elf, chip: task.chip }, stop);
      if (prepared.firmware === null) {
        // A sidecar that refuses a dump without a build will do so again.
        if (answer.status !== 'failed' || answer.isAnswered) return resultWithoutBuild(answer, prepared);
      } else if (answer.status !== 'failed') return resultOf(answer, prepared, task);
      hold.usedAttempts = number;
      const withoutBuild = prepared.firmware === null ? (prepared.noDump ?? prepared.ending) : null;
      throw new FailedAttempt(answer.reason, number, withoutBuild);
    } finally {
      await Promise.allSettled(Object.values(files).map((path) => rm(path, { force: true })));
    }
  }

  /**
   * The device was updated after the crash: the build that the dump names has another version than it reported. Or it is
   * no core dump, but a text.
   */
  async function noteLook(hold: Hold, prepared: Prepared | PreparedWithoutBuild, stop: AbortSignal) {
    const { appElfSha256, dumpChip, kind, firmware } = prepared;
    const { task } = hold;
    const crashVersion =
      firmware !== null && prepared.matchedBy === 'sha' ? firmware.version : task.crashVersion;
    if (crashVersion === task.crashVersion && (kind ?? task.kind) === task.kind) return;
    await withRetries(() => state.noteLook(hold, { appElfSha256, dumpChip, kind, crashVersion }), stop);
  }

  async function end(hold: Hold, result: ParseResult, stop: AbortSignal): Promise<ParseOutcome> {
    const coredump = await finish(hold, result, stop);
    if (coredump === null) return { status: 'superseded' };
    return { status: 'finished', coredump, errorKind: result.errorKind };
  }

  async function finish(hold: Hold, result: ParseResult, stop: AbortSignal): Promise<CoredumpRow | null> {
    try {
      return await withRetries(() => state.finish(hold, result), stop);
    } catch (error) {
      const times = postponements.get(hold.task.coredumpId) ?? 0;
      if (stop.aborted || !isPassing(error) || times < MAX_REFUSALS) throw error;
      // The database accepted lease renewals all that time, so it is this result that it rejects.
      log.error(
        { err: error, ...logFieldsOf(hold.task) },
        'the database does not accept the result of a parse',
      );
      return state.finish(hold, failure('failed', unableToParse('the database does not accept its report')));
    }
  }

  /** Retries failures of database and storage that usually pass within a moment. */
  function withRetries<T>(work: () => Promise<T>, stop: AbortSignal): Promise<T> {
    return pRetry(work, {
      ...backoff(retryDelayMs),
      retries: MAX_CALL_RETRIES,
      signal: stop,
      shouldRetry: ({ error }) => isPassing(error),
    });
  }

  async function postpone(hold: Hold, reason: unknown, stop: AbortSignal): Promise<ParseOutcome> {
    const { coredumpId } = hold.task;
    const times = (postponements.get(coredumpId) ?? 0) + 1;
    postponements.set(coredumpId, times);
    // A full disk affects every dump, so this one keeps its slot for a moment only and is retried soon.
    const pauseMs = isFull(reason) ? FULL_PAUSE_MS : Math.min(retryDelayMs * 2 ** times, MAX_PAUSE_MS);
    if (!isFull(reason)) {
      log.warn(
        { err: reason, pauseMs, ...logFieldsOf(hold.task) },
        'storage or database is not available for a parse',
      );
    }
    try {
      // Without the database there is nothing else to do, so this waits for it.
      await pRetry(() => state.release(hold, pauseMs), {
        ...backoff(retryDelayMs),
        maxTimeout: MAX_PAUSE_WITHOUT_DATABASE_MS,
        retries: Number.POSITIVE_INFINITY,
        signal: stop,
        shouldRetry: ({ error }) => isPassing(error),
      });
      if (isFull(reason)) await pause(FULL_PAUSE_MS, undefined, { signal: stop }).catch(() => {});
      return { status: 'postponed' };
    } catch (error) {
      if (!stop.aborted) throw error;
      return release(hold);
    }
  }

  async function release(hold: Hold): Promise<ParseOutcome> {
    await state.release(hold);
    return { status: 'released' };
  }
}

interface ParseJobDeps {
  state: ParseState;
  blobs: BlobStore;
  builds: BuildFinder;
  lost: Pick<LostDumps, 'note'>;
  sidecar: SidecarClient;
  xferDir: string;
  /** Pause before the second attempt, in milliseconds; it doubles for the next one. */
  retryDelayMs: number;
  log: Logger;
}

/** Pause between two checks for free space. */
const FULL_PAUSE_MS = 2_000;

/** Half of the margin between the lease and the sidecar's time limit. */
const RENEW_AFTER_MS = 15_000;

/** Retries of a storage or database call before the dump is postponed. */
const MAX_CALL_RETRIES = 2;
const MAX_PAUSE_MS = 5 * 60 * 1000;
const MAX_PAUSE_WITHOUT_DATABASE_MS = 10_000;
/** Consecutive postponements (about half an hour) after which a result that cannot be stored is given up. */
const MAX_REFUSALS = 12;
/** Most dumps whose postponements are tracked at the same time. */
const REMEMBERED = 10_000;

const backoff = (minTimeout: number) => ({ minTimeout, factor: 2, randomize: true });

/** The sidecar failed for a reason that may pass. */
class FailedAttempt extends Error {
  override readonly name = 'FailedAttempt';

  constructor(
    message: string,
    readonly number: number,
    /** The result of a dump that has no build; null for others. */
    readonly withoutBuild: ParseResult | null,
  ) {
    super(message);
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'STORAGE_FULL';
}

/** A build that was deleted during the parse causes CONFLICT: the next attempt finds another build, or none. */
function isPassing(thrown: unknown): boolean {
  const error = asDomainError(thrown);
  return error instanceof DomainError && TRANSIENT.has(error.code);
}

const TRANSIENT: ReadonlySet<DomainErrorCode> = new Set(['UNAVAILABLE', 'STORAGE_FULL', 'BUSY', 'CONFLICT']);

function logFieldsOf(task: ParseTask) {
  return { coredumpId: task.coredumpId, deviceKey: task.deviceKey, filename: task.filename };
}
