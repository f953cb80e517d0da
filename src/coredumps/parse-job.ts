import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pRetry from 'p-retry';
import { peekDump, UnreadableDump } from '../crashdump/index.js';
import { DomainError } from '../errors.js';
import type { Firmware } from '../firmware/service.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import { makeFolder } from '../platform/blobs/folder-sync.js';
import { storageCall } from '../platform/blobs/storage-errors.js';
import { asDomainError } from '../platform/database/errors.js';
import type { Logger } from '../platform/logger.js';
import type { ParseResult, ParseState, ParseTask } from './parse-state.js';
import type { SidecarClient } from './sidecar-client.js';
import { coredumpKey } from './storage.js';
import type { CoredumpRow, ParseErrorKind } from './types.js';

const MAX_ATTEMPTS = 3;

/** Which build a dump ran, and how sure that is. */
export interface BuildFinder {
  findBuild(wanted: {
    modelId: number;
    version: string;
    appElfSha256: string | null;
  }): Promise<{ firmware: Firmware | null; candidates: Firmware[]; matchedBy: 'sha' | 'version' | null }>;
  /** Copies the build's ELF to `path`; null when its blob is missing. */
  copyElf(firmware: Firmware, path: string): Promise<number | null>;
}

export type ParseOutcome =
  | { status: 'finished'; coredump: CoredumpRow; errorKind: ParseErrorKind | null }
  /** Deleted, re-queued, or in other hands: nothing was changed. */
  | { status: 'superseded' }
  /** The server stops; the dump waits for the next one. */
  | { status: 'handed back' };

/**
 * One dump from PENDING to its end: at most three attempts, counted in its row, with growing random pauses between
 * them. An attempt that fails for a passing reason (sidecar, storage, database) is tried again; a dump that cannot be
 * read, or whose firmware is missing, ends at once.
 */
export function createParseJob({ state, blobs, builds, sidecar, xferDir, retryDelayMs, log }: ParseJobDeps) {
  let hasTransferRoom = true;

  return async function parse(task: ParseTask, stop: AbortSignal): Promise<ParseOutcome> {
    try {
      return await pRetry(() => attempt(task, stop), {
        retries: MAX_ATTEMPTS - 1,
        minTimeout: retryDelayMs,
        factor: 2,
        randomize: true,
        signal: stop,
        // Whether attempts are left is the row's to say, not p-retry's: restarts count too.
        shouldRetry: ({ error }) => error instanceof FailedAttempt || isTransient(error),
      });
    } catch (error) {
      if (stop.aborted) {
        await state.handBack(task);
        return { status: 'handed back' };
      }
      if (!(error instanceof FailedAttempt) && !isTransient(error))
        log.error({ err: error, ...names(task) }, 'parse failed');
      return end(task, failure('failed', unable(describe(error))));
    }
  };

  /** Where the transfer folder is full no dump is at fault: the attempt is given back until there is room. */
  async function attempt(task: ParseTask, stop: AbortSignal): Promise<ParseOutcome> {
    for (;;) {
      try {
        const outcome = await attemptOnce(task, stop);
        tellTransferRoom(true);
        return outcome;
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== 'STORAGE_FULL') throw error;
        tellTransferRoom(false);
        await state.handBack(task);
        await pause(FULL_PAUSE_MS, undefined, { signal: stop });
      }
    }
  }

  function tellTransferRoom(hasRoom: boolean): void {
    if (hasRoom === hasTransferRoom) return;
    hasTransferRoom = hasRoom;
    const folder = `the transfer folder ${xferDir} (PARSE_SIDECAR_XFER_DIR)`;
    if (hasRoom) log.info(`${folder} has room again`);
    else log.error(`${folder} is full: free some space; dumps wait for their parse until then`);
  }

  async function attemptOnce(task: ParseTask, stop: AbortSignal): Promise<ParseOutcome> {
    const begunAt = performance.now();
    const number = await state.begin(task, MAX_ATTEMPTS);
    if (number === 'not ours') return { status: 'superseded' };
    if (number === 'exhausted') {
      const reason = `the server stopped during the last of ${MAX_ATTEMPTS} attempts`;
      return end(task, failure('failed', unable(reason)));
    }
    const result = await parseOnce(task, number, stop, async () => {
      // Fetching dump and ELF took long (a slow storage): the lease must last for all of the sidecar's time.
      return performance.now() - begunAt < RENEW_AFTER_MS || state.renew(task);
    });
    return result === 'not ours' ? { status: 'superseded' } : end(task, result);
  }

  /** @throws FailedAttempt when trying again may help */
  async function parseOnce(
    task: ParseTask,
    number: number,
    stop: AbortSignal,
    isStillOurs: () => Promise<boolean>,
  ): Promise<ParseResult | 'not ours'> {
    const key = coredumpKey(task.deviceKey, task.filename);
    const head = await blobs.readAtMost(key, PEEK_BYTES);
    if (head === null) return failure('failed', unable('its file is missing in the storage'));
    const appElfSha256 = peekSha(head);
    const found = await builds.findBuild({
      modelId: task.modelId,
      version: task.firmwareVersion,
      appElfSha256,
    });
    if (found.firmware === null) return missingFirmware(task, appElfSha256);

    const base = `coredock-${task.coredumpId}-${task.generation}-${number}-${randomBytes(6).toString('hex')}`;
    const core = { name: `${base}.dmp`, path: join(xferDir, `${base}.dmp`) };
    const elf = { name: `${base}.elf`, path: join(xferDir, `${base}.elf`) };
    try {
      await storageCall(makeFolder(xferDir));
      if ((await blobs.copyTo(key, core.path)) === null) {
        return failure('failed', unable('its file is missing in the storage'));
      }
      if ((await builds.copyElf(found.firmware, elf.path)) === null) {
        return missingFirmware(task, appElfSha256);
      }
      if (!(await isStillOurs())) return 'not ours';
      const answer = await sidecar.parse({ core: core.name, elf: elf.name, chip: task.chip }, stop);
      const build = { firmwareId: found.firmware.id, appElfSha256 };
      switch (answer.status) {
        case 'failed':
          throw new FailedAttempt(answer.reason);
        case 'unreadable':
          return { ...failure('unreadable', unable(answer.reason)), ...build };
        case 'parsed': {
          const warnings = buildWarnings(found, appElfSha256, task.firmwareVersion);
          const output = [...warnings.map((warning) => `Warning: ${warning}\n`), answer.output].join('');
          const report =
            answer.report === null
              ? null
              : { ...answer.report, warnings: [...warnings, ...answer.report.warnings] };
          return { status: 'PARSED', errorKind: null, text: { output, report }, ...build };
        }
      }
    } finally {
      await Promise.allSettled([core, elf].map(({ path }) => rm(path, { force: true })));
    }
  }

  async function end(task: ParseTask, result: ParseResult): Promise<ParseOutcome> {
    const coredump = await state.finish(task, result);
    if (coredump === null) return { status: 'superseded' };
    return { status: 'finished', coredump, errorKind: result.errorKind };
  }
}

interface ParseJobDeps {
  state: ParseState;
  blobs: BlobStore;
  builds: BuildFinder;
  sidecar: SidecarClient;
  xferDir: string;
  /** Pause before the second attempt; the next is about twice as long. */
  retryDelayMs: number;
  log: Logger;
}

const FULL_PAUSE_MS = 2_000;

/** Half of what a lease lasts longer than the sidecar's time. */
const RENEW_AFTER_MS = 15_000;

/** The largest dump that `MAX_COREDUMP_BYTES` can be set to is larger, but its notes are not. */
const PEEK_BYTES = 64 * 1024 * 1024;

/** An attempt that failed for a reason that may pass. */
class FailedAttempt extends Error {
  override readonly name = 'FailedAttempt';
}

function isTransient(thrown: unknown): boolean {
  const error = asDomainError(thrown);
  return error instanceof DomainError && (error.code === 'UNAVAILABLE' || error.code === 'STORAGE_FULL');
}

/** A dump that cannot be read at all has no SHA; that it cannot is the sidecar's to say. */
function peekSha(bytes: Uint8Array): string | null {
  try {
    return peekDump(bytes).appElfSha256;
  } catch (error) {
    if (error instanceof UnreadableDump) return null;
    throw error;
  }
}

function failure(kind: ParseErrorKind, output: string): ParseResult {
  return {
    status: 'ERROR',
    errorKind: kind,
    text: { output, report: null },
    firmwareId: null,
    appElfSha256: null,
  };
}

function unable(reason: string): string {
  return `Unable to parse coredump: ${reason}`;
}

function missingFirmware(task: ParseTask, appElfSha256: string | null): ParseResult {
  const sha = appElfSha256 === null ? '' : ` (the dump names the ELF with SHA-256 ${appElfSha256}…)`;
  const output =
    `No firmware for model "${task.modelCode}" version "${task.firmwareVersion}"${sha}. ` +
    'Upload it with the uploadFirmware mutation; the dump is parsed by itself when it arrives.';
  return { ...failure('missing_firmware', output), appElfSha256 };
}

function buildWarnings(
  { firmware, candidates, matchedBy }: Awaited<ReturnType<BuildFinder['findBuild']>>,
  appElfSha256: string | null,
  reportedVersion: string,
): string[] {
  if (firmware === null) return [];
  if (matchedBy === 'version' && appElfSha256 !== null) {
    return [
      `the dump names the ELF with SHA-256 ${appElfSha256}…, which was not uploaded; ` +
        `read with the build of the same version, SHA-256 ${firmware.elfSha256}: names may be wrong.`,
    ];
  }
  if (matchedBy === 'sha' && candidates.length > 1) {
    const list = candidates.map(({ version, elfSha256 }) => `${version} (${elfSha256})`).join(', ');
    return [
      `the SHA-256 prefix ${appElfSha256} fits several builds: ${list}; read with ${firmware.elfSha256}.`,
    ];
  }
  if (matchedBy === 'sha' && firmware.version !== reportedVersion) {
    return [
      `the device reported version "${reportedVersion}", but the ELF that the dump names is of version ` +
        `"${firmware.version}": the device was updated after the crash, or a build was uploaded under a wrong version.`,
    ];
  }
  return [];
}

function describe(thrown: unknown): string {
  const error = asDomainError(thrown);
  return error instanceof FailedAttempt || error instanceof DomainError ? error.message : 'an internal error';
}

function names(task: ParseTask) {
  return { coredumpId: task.coredumpId, deviceKey: task.deviceKey, filename: task.filename };
}
