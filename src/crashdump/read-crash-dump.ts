import { Malformed, plainBytes } from './bytes.js';
import type { Dump } from './core/core.js';
import { UnreadableFirmware } from './elf/elf-file.js';
import { UnreadableDump } from './errors.js';
import type { FirmwareImage } from './firmware/firmware-image.js';
import { openFirmware } from './firmware/open-firmware.js';
import { openCrash } from './open-crash.js';
import { type Belief, believe } from './report/believed-firmware.js';
import { buildReport } from './report/build-report.js';
import { dumpOfText } from './report/dump-of-text.js';
import type { CrashReport } from './report.js';
import { formatReport } from './text/format-report.js';
import { formatTextReport } from './text/format-text-report.js';
import type { ReportWarning } from './warning.js';

export interface CrashDumpRequest {
  /** A core dump, in any of its formats; or what a device printed or sent in its place. Borrowed. */
  core: Uint8Array;
  /** The firmware's ELF, or a cached image of it from `openFirmware`. Without it the report has addresses only. */
  elf?: Uint8Array | FirmwareImage | null;
  /** The chip as the caller knows it: used when the dump does not name one. */
  chip?: string;
  /** Finds the mask ROM's ELF for a chip, for the names of ROM functions; may return null. */
  findRom?: (chip: string, chipRevision: number | null) => FirmwareImage | null;
  /** Adds the contents of the dumped memory to the text. */
  printMemory?: boolean;
}

export interface CrashDumpReading {
  report: CrashReport;
  /** For people: of a dump in the layout of `esp-coredump info_corefile`. */
  output: string;
}

/**
 * Reads one core dump, panic text or summary. When the firmware is missing, unreadable, for another chip or of a build with other code, the dump
 * is read without it, and warnings say so. A text that is no crash has the warning `NO_CRASH`.
 * @throws UnreadableDump when it is none of them
 * @throws TypeError when `core` or `elf` is of another type
 */
export function readCrashDump(request: CrashDumpRequest): CrashDumpReading {
  try {
    const { dump, belief } = openWithFirmware(request);
    const roms = romsFor(dump, request);
    const report = buildReport({ dump, belief, roms });
    const sources = { report, dump, firmware: belief.firmware, printMemory: request.printMemory ?? false };
    return { report, output: dump.text === undefined ? formatReport(sources) : formatTextReport(sources) };
  } catch (error) {
    if (error instanceof Malformed) throw new UnreadableDump(`The core dump is broken: ${error.message}.`);
    throw error;
  }
}

function openWithFirmware(request: CrashDumpRequest): { dump: Dump; belief: Belief } {
  const chipHint = request.chip ?? null;
  const opened = openCrash(plainBytes(request.core), chipHint);
  if (opened.kind === 'dump') {
    const { dump } = opened;
    return { dump, belief: believe(dump, firmwareFor(request.elf ?? null, dump.warnings)) };
  }
  const warnings: ReportWarning[] = [];
  const given = firmwareFor(request.elf ?? null, warnings);
  const dump = dumpOfText(opened.text, given, chipHint);
  dump.warnings.push(...warnings);
  const belief = believe(dump, given);
  // A build that is not used does not tell the chip either.
  const isOther = belief.firmware === null && dump.chip !== null;
  return isOther
    ? { dump: { ...dump, chip: dumpOfText(opened.text, null, chipHint).chip }, belief }
    : { dump, belief };
}

/** When the ROM ELF cannot be used, only the names of ROM functions are missing. */
function romsFor({ chip, chipRevision, architecture, warnings }: Dump, { findRom }: CrashDumpRequest) {
  if (chip === null || findRom === undefined) return [];
  try {
    const rom = findRom(chip.name, chipRevision);
    return rom?.machine === architecture.name ? [rom] : [];
  } catch (error) {
    if (!(error instanceof UnreadableFirmware)) throw error;
    warnings.push({
      code: 'ROM_UNREADABLE',
      message: `The ROM ELF could not be read, ROM functions have no names: ${error.message}`,
    });
    return [];
  }
}

function firmwareFor(
  elf: Uint8Array | FirmwareImage | null,
  warnings: ReportWarning[],
): FirmwareImage | null {
  // No `instanceof`: a Uint8Array of another realm (a frame, a worker of a test) is none of this one's.
  if (elf !== null) return isImage(elf) ? elf : openFirmwareOrWarn(elf, warnings);
  warnings.push({
    code: 'NO_FIRMWARE',
    message:
      'There is no firmware ELF: registers and tasks are shown without names and backtraces may be incomplete.',
  });
  return null;
}

function isImage(elf: Uint8Array | FirmwareImage): elf is FirmwareImage {
  return !ArrayBuffer.isView(elf) && typeof elf === 'object' && 'machine' in elf;
}

function openFirmwareOrWarn(elf: Uint8Array, warnings: ReportWarning[]): FirmwareImage | null {
  try {
    return openFirmware(elf);
  } catch (error) {
    if (!(error instanceof UnreadableFirmware || error instanceof Malformed)) throw error;
    warnings.push({
      code: 'FIRMWARE_UNREADABLE',
      message: `The firmware ELF could not be read, names are missing: ${error.message}`,
    });
    return null;
  }
}
