import { Malformed, plainBytes } from './bytes.js';
import { openContainer } from './core/container.js';
import type { Dump } from './core/core.js';
import { readDump } from './core/read-dump.js';
import { UnreadableFirmware } from './elf/elf-file.js';
import { UnreadableDump } from './errors.js';
import type { FirmwareImage } from './firmware/firmware-image.js';
import { openFirmware } from './firmware/open-firmware.js';
import { believe } from './report/believed-firmware.js';
import { buildReport } from './report/build-report.js';
import type { CrashReport } from './report.js';
import { formatReport } from './text/format-report.js';
import type { ReportWarning } from './warning.js';

export interface CrashDumpRequest {
  /** The bytes from the device, in any of its formats; borrowed. */
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
  /** For people: in the layout of `esp-coredump info_corefile`. */
  output: string;
}

/**
 * Reads one core dump. When the firmware is missing, unreadable, for another chip or of a build with other code, the dump
 * is read without it, and warnings say so.
 * @throws UnreadableDump when there is no readable dump
 * @throws TypeError when `core` or `elf` is of another type
 */
export function readCrashDump(request: CrashDumpRequest): CrashDumpReading {
  try {
    const dump = readDump(openContainer(plainBytes(request.core)), request.chip ?? null);
    const belief = believe(dump, firmwareFor(request.elf ?? null, dump.warnings));
    const roms = romsFor(dump, request);
    const report = buildReport({ dump, belief, roms });
    return {
      report,
      output: formatReport({
        report,
        dump,
        firmware: belief.firmware,
        printMemory: request.printMemory ?? false,
      }),
    };
  } catch (error) {
    if (error instanceof Malformed) throw new UnreadableDump(`The core dump is broken: ${error.message}.`);
    throw error;
  }
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
