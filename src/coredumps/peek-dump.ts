import { peekDump, UnreadableDump } from '../crashdump/index.js';
import type { DumpIdentity } from './store-reading.js';

/** Read limit for the notes: `MAX_COREDUMP_BYTES` may be larger, but the notes of a dump are not. */
export const PEEK_BYTES = 64 * 1024 * 1024;

/** What the dump, panic text or summary says of itself; or why it is none, in a sentence. */
export function peek(bytes: Uint8Array): DumpIdentity | string {
  try {
    const { appElfSha256, chip, noCrash } = peekDump(bytes);
    if (noCrash !== null) return noCrash;
    return { appElfSha256, dumpChip: chip };
  } catch (error) {
    if (error instanceof UnreadableDump) return error.message;
    throw error;
  }
}
