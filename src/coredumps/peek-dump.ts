import { peekDump, UnreadableDump } from '../crashdump/index.js';
import { kindOf } from './kind.js';
import { type DumpIdentity, NO_IDENTITY } from './store-reading.js';

/** Read limit for the notes: `MAX_COREDUMP_BYTES` may be larger, but the notes of a dump are not. */
export const PEEK_BYTES = 64 * 1024 * 1024;

export interface Peeked extends DumpIdentity {
  ownVersion: string | null;
  /** Why it is no crash although it can be read; null for a crash. */
  noCrash: string | null;
}

/** The look at what is nothing of a crash. */
export const NOTHING_SEEN: Peeked = { ...NO_IDENTITY, ownVersion: null, noCrash: null };

/** What the dump says of itself; or why it is nothing of a crash, in a sentence. */
export function peek(bytes: Uint8Array): Peeked | string {
  try {
    const { source, appElfSha256, chip, firmwareVersion, noCrash } = peekDump(bytes);
    const ownVersion = firmwareVersion !== null && isVersion(firmwareVersion) ? firmwareVersion : null;
    return { kind: kindOf(source), appElfSha256, dumpChip: chip, ownVersion, noCrash };
  } catch (error) {
    if (error instanceof UnreadableDump) return error.message;
    throw error;
  }
}

/** As devices may report one: what a text says is anybody's. */
function isVersion(text: string): boolean {
  return /^[A-Za-z0-9._+-]{1,64}$/.test(text) && !text.includes('..');
}
