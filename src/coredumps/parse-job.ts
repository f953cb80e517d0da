import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import pRetry from 'p-retry';
import { peekDump, UnreadableDump } from '../crashdump/index.js';
import { DomainError, type DomainErrorCode } from '../errors.js';
import type { Firmware } from '../firmware/types.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import { storageCall } from '../platform/blobs/storage-errors.js';
import { asDomainError } from '../platform/database/errors.js';
import { makeFolder } from '../platform/files/durable-folder.js';
import type { Logger } from '../platform/logger.js';
import { coredumpKey } from './blob-keys.js';
import type { LostDumps } from './lost-dumps.js';
import { failure, lostFirmware, missingFirmware, type Prepared, resultOf, unable } from './parse-result.js';
import type { Hold, ParseState } from './parse-state.js';
import type { ParseTask } from './parse-task.js';
import { whyRemoved } from './remove-raw.js';
import type { SidecarClient } from './sidecar-client.js';
import type { ParseResult } from './store-reading.js';
import type { CoredumpRow, ParseErrorKind } from './types.js';

const MAX_ATTEMPTS = 3;

/** Which build a dump ran, and how sure that is. */
export interface BuildFinder {
  findBuild(wanted: {
    modelId: number;
    version: string;
    appElfSha256: string | null;
  }): Promise<{ firmware: Firmware | null; candidates: Firmware[]; matchedBy: 'sha' | 'version' | null }>;
  /** Copies the build's ELF to `path`; null when the storage has not got it whole. */
  copyElf(firmware: Firmware, path: string): Promise<number | null>;
  /** To be called then. @returns whether the ELF is lost; else its build was deleted */
  noteLostElf(firmware: Firmware): Promise<boolean>;
}

export type ParseOutcome =
  | { status: 'finished'; coredump: CoredumpRow; errorKind: ParseErrorKind | null }
  /** Deleted, re-queued, or in other hands: nothing was changed. */
  | { status: 'superseded' }
  /** Storage or database were not available: the dump waits, and nothing was counted. */
  | { status: 'postponed' }
  /** The server stops; the dump waits for the next one. */
  | { status: 'handed back' };

/**
 * One dump from PENDING to its end: at most three attempts of the sidecar, counted in its row, with growing random
 * pauses between them. A dump that cannot be read, or whose firmware is missing, ends at once.
 *
 * Our own storage and database are no attempts: what they refuse is tried again after a moment, and when that does not
 * help the dump goes back, uncounted, and waits for a pause that grows each time.
 */
export function createParseJob(deps: ParseJobDeps) {
  const { state, blobs, builds, lost, sidecar, xferDir, retryDelayMs, log } = deps;
  /** How often in a row a dump was postponed. */
  const postponements = new LRUCache<number, number>({ max: REMEMBERED });
  let hasTransferSpace = true;

  return async function parse(task: ParseTask, stop: AbortSignal): Promise<ParseOutcome> {
    const hold = state.hold(task);
    try {
      const outcome = await toTheEnd(hold, stop);
      postponements.delete(task.coredumpId);
      return outcome;
    } catch (error) {
      if (!stop.aborted && isPassing(error)) return postpone(hold, error, stop);
      if (!stop.aborted) throw error;
      return handBack(hold);
    }
  };

  async function toTheEnd(hold: Hold, stop: AbortSignal): Promise<ParseOutcome> {
    try {
      return await pRetry(() => attempt(hold, stop), {
        ...backoff(retryDelayMs),
        retries: MAX_ATTEMPTS - 1,
        signal: stop,
        // Whether attempts are left is the row's to say, not p-retry's: restarts count too.
        shouldRetry: ({ error }) => error instanceof FailedAttempt && error.number < MAX_ATTEMPTS,
      });
    } catch (error) {
      if (stop.aborted || isPassing(error)) throw error;
      if (error instanceof FailedAttempt) return end(hold, failure('failed', unable(error.message)), stop);
      log.error({ err: error, ...names(hold.task) }, 'parse failed');
      return end(hold, failure('failed', unable('an internal error')), stop);
    }
  }

  /** @throws FailedAttempt when the sidecar failed; what storage or database say when they are not available */
  async function attempt(hold: Hold, stop: AbortSignal): Promise<ParseOutcome> {
    const begunAt = performance.now();
    const number = await patiently(() => state.begin(hold, MAX_ATTEMPTS), stop);
    if (number === 'not ours') return { status: 'superseded' };
    if (number === 'exhausted') {
      const reason = `the server stopped during the last of ${MAX_ATTEMPTS} attempts`;
      return end(hold, failure('failed', unable(reason)), stop);
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
      const prepared = await patiently(() => prepare(task, files), stop);
      if (prepared === 'not ours' || 'errorKind' in prepared) return prepared;
      // Fetching dump and ELF took long (a slow storage): the lease must last for all of the sidecar's time.
      const isStillOurs =
        performance.now() - begunAt < RENEW_AFTER_MS || (await patiently(() => state.renew(hold), stop));
      if (!isStillOurs) return 'not ours';
      const answer = await sidecar.parse({ core: `${base}.dmp`, elf: `${base}.elf`, chip: task.chip }, stop);
      if (answer.status !== 'failed') return resultOf(answer, prepared, task);
      hold.usedAttempts = number;
      throw new FailedAttempt(answer.reason, number);
    } finally {
      await Promise.allSettled(Object.values(files).map((path) => rm(path, { force: true })));
    }
  }

  /** Puts the dump and the ELF of its build where the sidecar finds them, or says why that cannot be. */
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
    });
    const { firmware } = found;
    if (firmware === null) return missingFirmware(task, appElfSha256);
    const copied = await copyBoth(key, firmware, files);
    if (copied === 'no dump') return missingRaw(task, key);
    if (copied === 'both') return { ...found, firmware, appElfSha256 };
    if (await builds.noteLostElf(firmware)) return lostFirmware(task, firmware, appElfSha256);
    // Deleted just now: there may be another one.
    return prepare(task, files);
  }

  /** Where the transfer folder is full no dump is at fault. @throws DomainError STORAGE_FULL */
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
    else log.error(`${folder} is full: free some space; dumps wait for their parse until then`);
  }

  async function missingRaw(task: ParseTask, key: string): Promise<ParseResult | 'not ours'> {
    const fate = await lost.note(task.coredumpId);
    if (fate.is === 'gone') return 'not ours';
    if (fate.is === 'removed') {
      return failure('removed_coredump', unable(`its raw bytes were removed, ${whyRemoved(fate.reason)}`));
    }
    const reason = `its file is missing in the storage: ${key}. Restore it, and the dump is parsed by itself.`;
    return failure('lost_coredump', unable(reason));
  }

  async function end(hold: Hold, result: ParseResult, stop: AbortSignal): Promise<ParseOutcome> {
    const coredump = await finish(hold, result, stop);
    if (coredump === null) return { status: 'superseded' };
    return { status: 'finished', coredump, errorKind: result.errorKind };
  }

  async function finish(hold: Hold, result: ParseResult, stop: AbortSignal): Promise<CoredumpRow | null> {
    try {
      return await patiently(() => state.finish(hold, result), stop);
    } catch (error) {
      const times = postponements.get(hold.task.coredumpId) ?? 0;
      if (stop.aborted || !isPassing(error) || times < MAX_REFUSALS) throw error;
      // All that while the database has taken our leases: it is this result that it does not take.
      log.error({ err: error, ...names(hold.task) }, 'the database does not take the result of a parse');
      return state.finish(hold, failure('failed', unable('the database does not take its report')));
    }
  }

  /** Database and storage fail for a moment now and then; most of the time the next try succeeds. */
  function patiently<T>(work: () => Promise<T>, stop: AbortSignal): Promise<T> {
    return pRetry(work, {
      ...backoff(retryDelayMs),
      retries: MAX_HICCUPS,
      signal: stop,
      shouldRetry: ({ error }) => isPassing(error),
    });
  }

  async function postpone(hold: Hold, reason: unknown, stop: AbortSignal): Promise<ParseOutcome> {
    const { coredumpId } = hold.task;
    const times = (postponements.get(coredumpId) ?? 0) + 1;
    postponements.set(coredumpId, times);
    // What is full is full for every dump: the slot of this one is released after a moment only, and it is tried again soon.
    const pauseMs = isFull(reason) ? FULL_PAUSE_MS : Math.min(retryDelayMs * 2 ** times, MAX_PAUSE_MS);
    if (!isFull(reason)) {
      log.warn(
        { err: reason, pauseMs, ...names(hold.task) },
        'storage or database is not available for a parse',
      );
    }
    try {
      // Without the database nothing could be done instead, so this waits for it.
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
      return handBack(hold);
    }
  }

  async function handBack(hold: Hold): Promise<ParseOutcome> {
    await state.release(hold);
    return { status: 'handed back' };
  }
}

interface ParseJobDeps {
  state: ParseState;
  blobs: BlobStore;
  builds: BuildFinder;
  lost: Pick<LostDumps, 'note'>;
  sidecar: SidecarClient;
  xferDir: string;
  /** Pause before the second attempt; the next is about twice as long. */
  retryDelayMs: number;
  log: Logger;
}

/** Between two looks whether there is free space again. */
const FULL_PAUSE_MS = 2_000;

/** Half of what a lease lasts longer than the sidecar's time. */
const RENEW_AFTER_MS = 15_000;

/** The largest dump that `MAX_COREDUMP_BYTES` can be set to is larger, but its notes are not. */
const PEEK_BYTES = 64 * 1024 * 1024;

/** How often storage or database are tried once more before the dump is postponed. */
const MAX_HICCUPS = 2;
const MAX_PAUSE_MS = 5 * 60 * 1000;
const MAX_PAUSE_WITHOUT_DATABASE_MS = 10_000;
/** Postponements in a row, about half an hour, after which a result that cannot be stored never will be. */
const MAX_REFUSALS = 12;
/** Dumps that are postponed at the same time and whose pauses grow. */
const REMEMBERED = 10_000;

const backoff = (minTimeout: number) => ({ minTimeout, factor: 2, randomize: true });

/** The sidecar failed, for a reason that may pass. */
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

/** A build that was deleted during the parse is a CONFLICT: the next attempt finds another, or none. */
function isPassing(thrown: unknown): boolean {
  const error = asDomainError(thrown);
  return error instanceof DomainError && TRANSIENT.has(error.code);
}

const TRANSIENT: ReadonlySet<DomainErrorCode> = new Set(['UNAVAILABLE', 'STORAGE_FULL', 'BUSY', 'CONFLICT']);

/** A dump that cannot be read at all has no SHA; that it cannot is the sidecar's to say. */
function peekSha(bytes: Uint8Array): string | null {
  try {
    return peekDump(bytes).appElfSha256;
  } catch (error) {
    if (error instanceof UnreadableDump) return null;
    throw error;
  }
}

function names(task: ParseTask) {
  return { coredumpId: task.coredumpId, deviceKey: task.deviceKey, filename: task.filename };
}
