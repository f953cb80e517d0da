import { chipByName } from '../crashdump/index.js';
import { DomainError } from '../errors.js';
import { type FoundBuild, isForOtherChip, type WantedBuild } from '../firmware/find-build.js';
import type { Firmware } from '../firmware/types.js';
import type { BlobStore } from '../platform/blobs/blob-store.js';
import { storageCall } from '../platform/blobs/storage-errors.js';
import { makeFolder } from '../platform/files/durable-folder.js';
import type { Logger } from '../platform/logger.js';
import { coredumpKey } from './blob-keys.js';
import { NOUNS } from './kind.js';
import type { LostDumps } from './lost-dumps.js';
import {
  failure,
  lostFirmware,
  missingFirmware,
  noCrashResult,
  type Prepared,
  type PreparedWithoutBuild,
  unableToParse,
} from './parse-result.js';
import type { ParseTask } from './parse-task.js';
import { NOTHING_SEEN, PEEK_BYTES, peek } from './peek-dump.js';
import { whyRemoved } from './remove-raw.js';
import type { DumpIdentity, ParseResult } from './store-reading.js';
import { UNKNOWN } from './types.js';

/** Finds the build that a dump ran, and says by what it was identified. */
export interface BuildFinder {
  findBuild(wanted: WantedBuild): Promise<FoundBuild>;
  /** Copies the build's ELF to `path`; null when the ELF is missing or incomplete in the storage. */
  copyElf(firmware: Firmware, path: string): Promise<number | null>;
  /** Reads from a copy of its ELF what an earlier release did not store of a build. @returns the row as it is then */
  examine(firmware: Firmware, path: string): Promise<Firmware>;
  /** Call this when the ELF was not found. @returns true if the ELF is lost, false if the build was deleted */
  noteLostElf(firmware: Firmware): Promise<boolean>;
}

/** Paths in the transfer folder. */
export interface TransferFiles {
  core: string;
  elf: string;
}

/**
 * Makes the first step of a parse: looks what the dump says of itself, finds its build, and copies both into the
 * transfer folder. What looks like no dump is the sidecar's to judge: it may be a program that reads other formats.
 *
 * @returns what the sidecar may be asked; or the result of a parse for which there is nothing to ask
 */
export function createPreparation({ blobs, builds, lost, xferDir, log }: PreparationDeps) {
  let hasTransferSpace = true;

  return async function prepare(
    task: ParseTask,
    files: TransferFiles,
  ): Promise<Prepared | PreparedWithoutBuild | ParseResult | 'not ours'> {
    const key = coredumpKey(task.deviceKey, task.filename);
    const head = await blobs.readAtMost(key, PEEK_BYTES);
    if (head === null) return missingRaw(task, key);
    const peeked = peek(head);
    const look = typeof peeked === 'string' ? NOTHING_SEEN : peeked;
    const { noCrash, ...identity } = look;
    if (noCrash !== null) return noCrashResult(noCrash, identity);
    const wanted = wantedBy(task, identity);
    const found = await builds.findBuild(wanted);
    const { firmware } = found;
    if (firmware === null)
      return withoutBuild(
        missingFirmware({ ...task, firmwareVersion: wanted.version }, identity, found.ofOtherChips),
      );
    const copied = await copyBoth(key, firmware, files);
    if (copied === 'no dump') return missingRaw(task, key);
    if (copied === 'no ELF') {
      if (await builds.noteLostElf(firmware)) return withoutBuild(lostFirmware(task, firmware, identity));
      // The build was deleted a moment ago; another build may match.
      return prepare(task, files);
    }
    const examined = await builds.examine(firmware, files.elf);
    // Its row did not say the chip: another build may match.
    const chip = found.matchedBy === 'version' ? (wanted.chip ?? wanted.toldChip) : wanted.chip;
    if (found.matchedBy !== 'sha' && isForOtherChip(examined, chip ?? null)) return prepare(task, files);
    return { ...found, firmware: examined, ...identity };

    async function withoutBuild(
      ending: ParseResult,
    ): Promise<PreparedWithoutBuild | ParseResult | 'not ours'> {
      const isThere = await withSpace(() => blobs.copyTo(key, files.core));
      if (isThere === null) return missingRaw(task, key);
      const noDump =
        typeof peeked === 'string' ? failure('unreadable', unableToParse(peeked, task.kind)) : null;
      return { firmware: null, ending, noDump, ...identity };
    }
  };

  async function copyBoth(
    key: string,
    firmware: Firmware,
    files: TransferFiles,
  ): Promise<'both' | 'no dump' | 'no ELF'> {
    return withSpace(async () => {
      if ((await blobs.copyTo(key, files.core)) === null) return 'no dump';
      return (await builds.copyElf(firmware, files.elf)) === null ? 'no ELF' : 'both';
    });
  }

  /** A full transfer folder is not the dump's fault. @throws DomainError STORAGE_FULL */
  async function withSpace<T>(copy: () => Promise<T>): Promise<T> {
    try {
      await storageCall(makeFolder(xferDir));
      const outcome = await copy();
      noteTransferSpace(true);
      return outcome;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'STORAGE_FULL') noteTransferSpace(false);
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
        unableToParse(`its raw bytes were removed, ${whyRemoved(missing.reason)}`, task.kind),
      );
    }
    const noun = NOUNS[task.kind];
    const reason = `its file is missing in the storage: ${key}. Restore it, and the ${noun} is parsed automatically.`;
    return failure('lost_coredump', unableToParse(reason, task.kind));
  }
}

interface PreparationDeps {
  blobs: Pick<BlobStore, 'readAtMost' | 'copyTo'>;
  builds: BuildFinder;
  lost: Pick<LostDumps, 'note'>;
  xferDir: string;
  log: Logger;
}

/** The build of a dump, as far as its row and its bytes say it. */
export function wantedBy(
  task: Pick<ParseTask, 'modelId' | 'firmwareVersion' | 'chosenFirmwareId' | 'chip'>,
  { appElfSha256, dumpChip, kind, ownVersion = null }: DumpIdentity,
): WantedBuild {
  const { modelId, firmwareVersion, chosenFirmwareId } = task;
  const version = firmwareVersion === UNKNOWN ? (ownVersion ?? UNKNOWN) : firmwareVersion;
  // Texts seldom name their chip; all dumps do that can.
  const toldChip = kind === null || kind === 'CORE_DUMP' ? null : (chipByName(task.chip)?.name ?? null);
  return { modelId, version, chip: dumpChip, toldChip, appElfSha256, chosenFirmwareId };
}
