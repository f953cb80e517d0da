import { Malformed } from './bytes.js';
import { openContainer } from './core/container.js';
import type { Dump } from './core/core.js';
import { readDump } from './core/read-dump.js';
import { START_MARKER } from './core/transport/plain-text.js';
import type { CrashText } from './crash-text/crash-text.js';
import { readCrashText } from './crash-text/read-crash-text.js';
import { MAX_SUMMARY_BYTES, readSummary } from './crash-text/summary.js';
import { UnreadableDump } from './errors.js';
import type { ReportWarning } from './warning.js';

export type OpenedCrash = { kind: 'dump'; dump: Dump } | { kind: 'text'; text: CrashText };

/**
 * Finds out what an upload is, and reads it: a core dump, where one can be read; else a panic text or a summary.
 * @param verify false skips the checksum of a dump
 * @throws UnreadableDump when it is none of them
 */
export function openCrash(upload: Uint8Array, chipHint: string | null, { verify = true } = {}): OpenedCrash {
  try {
    return { kind: 'dump', dump: readDump(openContainer(upload, { verify }), chipHint) };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    const text = readText(upload, refusal);
    if (text === null) throw refusal;
    return { kind: 'text', text };
  }
}

function refusalOf(error: unknown): UnreadableDump | null {
  if (error instanceof Malformed) return new UnreadableDump(`The core dump is broken: ${error.message}.`);
  return error instanceof UnreadableDump ? error : null;
}

/** Null for what is no text of a crash. */
function readText(upload: Uint8Array, { message }: UnreadableDump): CrashText | null {
  const crash = summaryIn(upload) ?? readCrashText(upload);
  if (
    crash === null ||
    !Buffer.from(upload.buffer, upload.byteOffset, upload.byteLength).includes(START_MARKER)
  )
    return crash;
  const warning: ReportWarning = {
    code: 'DUMP_UNREADABLE',
    message: `The core dump in this text could not be read, so the panic text beside it was: ${message}`,
  };
  return { ...crash, warnings: [warning, ...crash.warnings] };
}

function summaryIn(upload: Uint8Array): CrashText | null {
  if (upload.length > MAX_SUMMARY_BYTES) return null;
  return readSummary(new TextDecoder().decode(upload));
}
