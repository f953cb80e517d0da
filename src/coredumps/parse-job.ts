import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import pRetry from 'p-retry';
import { peekDump, UnreadableDump } from '../crashdump/index.js';
import { DomainError, type DomainErrorCode } from '../errors.js';
import type { FoundBuild } from '../firmware/find-build.js';
import type { Firmware } from '../firmware/types.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import { storageCall } from '../platform/blobs/storage-errors.js';
import { asDomainError } from '../platform/database/errors.js';
import { makeFolder } from '../platform/files/durable-folder.js';
import type { Logger } from '../platform/logger.js';
import { coredumpKey } from './blob-keys.js';
import type { LostDumps } from './lost-dumps.js';
import {
  failure,
  lostFirmware,
  missingFirmware,
  type Prepared,
  resultOf,
  unableToParse,
} from './parse-result.js';
import type { Hold, ParseState } from './parse-state.js';
import type { ParseTask } from './parse-task.js';
import { whyRemoved } from './remove-raw.js';
import type { SidecarClient } from './sidecar-client.js';
import type { ParseResult } from './store-reading.js';
import type { CoredumpRow, ParseErrorKind } from './types.js';

const MAX_ATTEMPTS = 3;

/** Finds the build that a dump ran, and says by what it was identified. */
export interface BuildFinder {
  findBuild(wanted: {
    modelId: number;
    version: string;
    appElfSha256: string | null;
    chosenFirmwareId: number | null;
  }): Promise<FoundBuild>;
  /** Copies the build's ELF to `path`; null when the ELF is missing or incomplete in the storage. */
  copyElf(firmware: Firmware, path: string): Promise<number | null>;
  /** Call this when the ELF was not found. @returns true if the ELF is lost, false if the build was deleted */
  noteLostElf(firmware: Firmware): Promise<boolean>;
}

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
  const { state, blobs, builds, lost, sidecar, xferDir, retryDelayMs, log } = deps;
  /** Consecutive postponements of each dump. */
  const postponements = new LRUCache<number, number>({ max: REMEMBERED });
  let hasTransferSpace = true;

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
      if (error instanceof FailedAttempt)
        return end(hold, failure('failed', unableToParse(error.message)), stop);
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
    const files = { core: join(xferDir, `${base}.dmp`), elf: join(xferDir, `${base}.elf`) };
    try {
      const prepared = await withRetries(() => prepare(task, files), stop);
      if (prepared === 'not ours' || 'errorKind' in prepared) return prepared;
      // Copying dump and ELF may have taken long (a slow storage): renew the lease for the full time limit of the
      // sidecar.
      const isStillOurs =
        performance.now() - begunAt < RENEW_AFTER_MS || (await withRetries(() => state.renew(hold), stop));
      if (!isStillOurs) return 'not ours';
      const answer = await sidecar.parse({ core: `${base}.dmp`, elf: `${base}.elf`, chip: task.chip }, stop);
      if (answer.status !== 'failed') return resultOf(answer, prepared, task);
      hold.usedAttempts = number;
      throw new FailedAttempt(answer.reason, number);
    } finally {
      await Promise.allSettled(Object.values(files).map((path) => rm(path, { force: true })));
    }
  }

  /** Copies the dump and its ELF into the transfer folder, or returns the result that explains why not. */
  async function prepare(
    task: ParseTask,
    files: { core: string; elf: string },
  ): Promise<Prepared | ParseResult | 'not ours'> {
    const key = coredumpKey(task.deviceKey, task.filename);
    const head = await blobs.readAtMost(key, PEEK_BYTES);
    if (head === null) return missingRaw(task, key);
    const appElfSha256 = peekSha(head);
    const found = await builds.findBuild({
      modelId: task.modelId,
      version: task.firmwareVersion,
      appElfSha256,
      chosenFirmwareId: task.chosenFirmwareId,
    });
    const { firmware } = found;
    if (firmware === null) return missingFirmware(task, appElfSha256);
    const copied = await copyBoth(key, firmware, files);
    if (copied === 'no dump') return missingRaw(task, key);
    if (copied === 'both') return { ...found, firmware, appElfSha256 };
    if (await builds.noteLostElf(firmware)) return lostFirmware(task, firmware, appElfSha256);
    // The build was deleted a moment ago; another build may match.
    return prepare(task, files);
  }

  /** A full transfer folder is not the dump's fault. @throws DomainError STORAGE_FULL */
  async function copyBoth(
    key: string,
    firmware: Firmware,
    files: { core: string; elf: string },
  ): Promise<'both' | 'no dump' | 'no ELF'> {
    try {
      await storageCall(makeFolder(xferDir));
      if ((await blobs.copyTo(key, files.core)) === null) return 'no dump';
      const size = await builds.copyElf(firmware, files.elf);
      noteTransferSpace(true);
      return size === null ? 'no ELF' : 'both';
    } catch (error) {
      if (isFull(error)) noteTransferSpace(false);
      throw error;
    }
  }

  function noteTransferSpace(hasSpace: boolean): void {
    if (hasSpace === hasTransferSpace) return;
    hasTransferSpace = hasSpace;
    const folder = `the transfer folder ${xferDir} (PARSE_SIDECAR_XFER_DIR)`;
    if (hasSpace) log.info(`${folder} has free space again`);
    else log.error(`${folder} is full: free some space; no dump is parsed until then`);
  }

  async function missingRaw(task: ParseTask, key: string): Promise<ParseResult | 'not ours'> {
    const missing = await lost.note(task.coredumpId);
    if (missing.is === 'gone') return 'not ours';
    if (missing.is === 'removed') {
      return failure(
        'removed_coredump',
        unableToParse(`its raw bytes were removed, ${whyRemoved(missing.reason)}`),
      );
    }
    const reason = `its file is missing in the storage: ${key}. Restore it, and the dump is parsed automatically.`;
    return failure('lost_coredump', unableToParse(reason));
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

/** Read limit for the notes: `MAX_COREDUMP_BYTES` may be larger, but the notes of a dump are not. */
const PEEK_BYTES = 64 * 1024 * 1024;

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

/** The SHA-256 prefix in the dump; null when the dump is unreadable: then the sidecar reports why. */
function peekSha(bytes: Uint8Array): string | null {
  try {
    return peekDump(bytes).appElfSha256;
  } catch (error) {
    if (error instanceof UnreadableDump) return null;
    throw error;
  }
}

function logFieldsOf(task: ParseTask) {
  return { coredumpId: task.coredumpId, deviceKey: task.deviceKey, filename: task.filename };
}
