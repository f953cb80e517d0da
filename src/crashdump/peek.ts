import { chipByName } from './arch/chips.js';
import { plainBytes } from './bytes.js';
import type { CrashSource } from './crash-source.js';
import { openCrash } from './open-crash.js';

export interface DumpIdentity {
  /** What it is. */
  source: CrashSource;
  /** "esp32c3"; null when it does not name it. */
  chip: string | null;
  /** Leading hexadecimal digits of the application ELF's SHA-256 (8 to 64 of them); null when it has none. */
  appElfSha256: string | null;
  /** Of the firmware that crashed, as a summary or the log around a panic text says it; null for dumps. */
  firmwareVersion: string | null;
  /** Why it is nothing to count although it can be read, in a sentence; null for a crash. */
  noCrash: string | null;
}

/**
 * Reads what is needed to choose the firmware for a dump, panic text or summary. It computes no checksum and copies
 * nothing, except when the upload is text: cheap enough for untrusted uploads.
 * @throws UnreadableDump, and nothing else, when it is none of them
 */
export function peekDump(upload: Uint8Array): DumpIdentity {
  const opened = openCrash(plainBytes(upload), null, { verify: false });
  if (opened.kind === 'dump') {
    const { chip, appElfSha256 } = opened.dump;
    return {
      source: 'core_dump',
      chip: chip?.name ?? null,
      appElfSha256,
      firmwareVersion: null,
      noCrash: null,
    };
  }
  const { source, chip, appElfSha256, firmwareVersion, warnings } = opened.text;
  return {
    source,
    chip: chip === null ? null : (chipByName(chip)?.name ?? null),
    appElfSha256,
    firmwareVersion,
    noCrash: warnings.find(({ code }) => code === 'NO_CRASH')?.message ?? null,
  };
}
