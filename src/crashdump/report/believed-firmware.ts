import { type Dump, nounOf } from '../core/core.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { hex32 } from '../hex.js';
import type { ElfMatch } from '../report.js';
import {
  type CrashDoubt,
  type FirmwareFit,
  fitOf,
  hasSameCode,
  isNotRefuted,
  isNotRefutedByText,
  isProvenByOthers,
} from './firmware-fit.js';

/** What the reader makes of the firmware that it was given. */
export interface Belief {
  /** The firmware that may name and unwind; null when the dump is read without one. */
  firmware: FirmwareImage | null;
  /** The one that was given, if its processor is that of the dump: a layout of its structures can be tried. */
  given: FirmwareImage | null;
  elfMatch: ElfMatch;
  /** Why another build, or one that the dump does not name, is used all the same; null for the build that ran. */
  evidence: string | null;
  /** From where on the firmware may not name calls of the crashed task; null when it may name all. */
  crashDoubt: CrashDoubt | null;
}

/** With fewer return addresses that fit, a warning says so. */
const ENOUGH_NOT_TO_WARN = 3;

/**
 * Decides whether a build may be used. The one that ran always is. Another one only when it has the same code, one that
 * cannot be compared only when nothing speaks against it; a build for another chip never. Warnings say why not.
 */
export function believe(dump: Dump, given: FirmwareImage | null): Belief {
  if (given === null) return { firmware: null, given, elfMatch: 'unknown', evidence: null, crashDoubt: null };
  const elfMatch = compareElf(dump, given);
  if (elfMatch === 'matches') return { firmware: given, given, elfMatch, evidence: null, crashDoubt: null };
  if (isForOtherChip(dump, given))
    return { firmware: null, given: null, elfMatch, evidence: null, crashDoubt: null };

  const fit = fitOf(dump, given);
  const noun = nounOf(dump);
  const isPossible = dump.text === undefined ? isNotRefuted : isNotRefutedByText;
  const crashDoubt = elfMatch === 'unknown' && fit !== null && isProvenByOthers(fit) ? fit.crashDoubt : null;
  const isUsed =
    crashDoubt !== null ||
    (elfMatch === 'differs' ? fit !== null && hasSameCode(fit) : fit === null || isPossible(fit));
  if (elfMatch === 'differs') warnOfOther(dump, given, fit, isUsed);
  else if (!isUsed) {
    dump.warnings.push({
      code: 'FIRMWARE_DOES_NOT_FIT',
      message: `The ${noun} does not name its firmware, and ${whyNotBelieved(fit)} (${inWords(fit)}). The ELF was not used.`,
    });
  } else if (crashDoubt !== null || (fit !== null && fit.tried < ENOUGH_NOT_TO_WARN)) {
    const rest =
      crashDoubt === null
        ? 'That is little: its names may be those of another build.'
        : `The return address ${hex32(crashDoubt.returnAddress)} of the crashed task does not: its stack is damaged, or the ELF is of another build, so names of the crashed task from there on are left out.`;
    dump.warnings.push({
      code: 'FIRMWARE_UNPROVEN',
      message: `The ${noun} does not name its firmware; of the firmware ELF, ${inWords(fit)}. ${rest}`,
    });
  }
  const source = elfMatch === 'differs' ? 'another firmware' : 'no firmware';
  return {
    firmware: isUsed ? given : null,
    given,
    elfMatch,
    evidence:
      isUsed && fit !== null ? `The ${noun} names ${source}; of the firmware ELF, ${inWords(fit)}.` : null,
    crashDoubt,
  };
}

/** The dump contains as many leading digits of the hash as the build was configured to keep (9 by default). */
function compareElf({ appElfSha256 }: Dump, { sha256 }: FirmwareImage): ElfMatch {
  if (appElfSha256 === null) return 'unknown';
  return sha256.startsWith(appElfSha256) ? 'matches' : 'differs';
}

function isForOtherChip(dump: Dump, { machine, chips }: FirmwareImage): boolean {
  const { architecture, chip, warnings } = dump;
  const noun = nounOf(dump);
  if (machine !== architecture.name) {
    warnings.push({
      code: 'FIRMWARE_FOR_OTHER_CHIP',
      message: `The firmware ELF is for ${machine}, the ${noun} comes from a ${architecture.name} chip; the ELF was not used.`,
    });
    return true;
  }
  if (chip === null || chips.length === 0 || chips.includes(chip.name)) return false;
  warnings.push({
    code: 'FIRMWARE_FOR_OTHER_CHIP',
    message: `The firmware ELF is for ${chips.join(' or ')}, the ${noun} comes from ${chip.name}; the ELF was not used.`,
  });
  return true;
}

function warnOfOther(dump: Dump, given: FirmwareImage, fit: FirmwareFit | null, isUsed: boolean) {
  const { appElfSha256, warnings } = dump;
  const hashes = `The firmware ELF is not the one that crashed: the ${nounOf(dump)} names SHA-256 ${appElfSha256}, the ELF has ${given.sha256}.`;
  const consequence = isUsed
    ? `It has the same code (${inWords(fit)}), so its names are shown; lines may be those of another version.`
    : `Its code is not known to be the same (${inWords(fit)}), so it was not used.`;
  warnings.push({ code: 'FIRMWARE_DIFFERS', message: `${hashes} ${consequence}` });
}

function whyNotBelieved(fit: FirmwareFit | null): string {
  return fit !== null && (fit.fitting < fit.tried || fit.crashDoubt !== null)
    ? 'the firmware ELF has other code'
    : 'too little of it could be compared with the firmware ELF';
}

function inWords(fit: FirmwareFit | null): string {
  if (fit === null || fit.tried === 0) return 'no return address could be compared';
  return `${fit.fitting} of ${fit.tried} return addresses fit`;
}
