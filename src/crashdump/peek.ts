import { Malformed, plainBytes } from './bytes.js';
import { openContainer } from './core/container.js';
import { readDump } from './core/read-dump.js';
import { UnreadableDump } from './errors.js';

export interface DumpIdentity {
  /** "esp32c3"; null when the dump does not name it. */
  chip: string | null;
  /** Leading hexadecimal digits of the application ELF's SHA-256 (9 to 64 of them); null when the dump has none. */
  appElfSha256: string | null;
}

/**
 * Reads what is needed to choose the firmware for a dump. It computes no checksum and copies nothing, except when the
 * dump is text: cheap enough for untrusted uploads.
 * @throws UnreadableDump, and nothing else, when it is no core dump
 */
export function peekDump(upload: Uint8Array): DumpIdentity {
  try {
    const dump = readDump(openContainer(plainBytes(upload), { verify: false }), null);
    return { chip: dump.chip?.name ?? null, appElfSha256: dump.appElfSha256 };
  } catch (error) {
    if (error instanceof Malformed) throw new UnreadableDump(`The core dump is broken: ${error.message}.`);
    throw error;
  }
}
