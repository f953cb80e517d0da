import type { DbTransaction } from '../platform/database/types.js';
import type { ParseTask } from './parse-task.js';
import type { CoredumpText, ParseErrorKind } from './types.js';

/** The result of a parse. */
export interface ParseResult {
  status: 'PARSED' | 'ERROR';
  errorKind: ParseErrorKind | null;
  text: CoredumpText;
  firmwareId: number | null;
  appElfSha256: string | null;
}

/** Errors of the storage, not of the dump: an earlier result stays valid. */
const KEEPS_EARLIER_READING: ReadonlyArray<ParseErrorKind | null> = [
  'lost_coredump',
  'lost_firmware',
  'removed_coredump',
];

/** The columns of a parsed dump. */
export function columnsOf(
  { status, errorKind, firmwareId, appElfSha256, text }: ParseResult,
  parsedAt: Date,
) {
  return {
    parseStatus: status,
    parseErrorKind: errorKind,
    firmwareId,
    appElfSha256,
    fingerprint: text.report?.fingerprint ?? null,
    parsedAt,
  };
}

/** The result before the dump was queued again; null if there was none, or if the new result replaces it. */
export async function earlierReading(
  tx: DbTransaction,
  { coredumpId }: ParseTask,
  { errorKind }: ParseResult,
) {
  if (!KEEPS_EARLIER_READING.includes(errorKind)) return null;
  const earlier = await tx.earlierReading.findUnique({ where: { coredumpId } });
  if (earlier === null) return null;
  const { fingerprint, parsedAt } = earlier;
  return { parseStatus: 'PARSED', fingerprint, parsedAt };
}

/** Stores text and report. The row exists already. */
export async function storeText(tx: DbTransaction, coredumpId: number, { output, report }: CoredumpText) {
  const text = {
    // PostgreSQL's text cannot hold a NUL; JSON writes it as an escape.
    output: output.replaceAll('\0', '\uFFFD'),
    report: report === null ? null : JSON.stringify(report),
  };
  await tx.coredumpText.upsert({
    where: { coredumpId },
    create: { coredumpId, ...text },
    update: text,
    select: { coredumpId: true },
  });
}
