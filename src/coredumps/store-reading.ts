import type { DbTransaction } from '../platform/database/types.js';
import type { ParseTask } from './parse-task.js';
import type { CoredumpText, ParseErrorKind } from './types.js';

/** What a parse has come to. */
export interface ParseResult {
  status: 'PARSED' | 'ERROR';
  errorKind: ParseErrorKind | null;
  text: CoredumpText;
  firmwareId: number | null;
  appElfSha256: string | null;
}

/** What is lost is lost by the storage: a reading that was there before is as good as it was. */
const KEEPS_EARLIER_READING: ReadonlyArray<ParseErrorKind | null> = [
  'lost_coredump',
  'lost_firmware',
  'removed_coredump',
];

/** Of the row of a dump that was read. */
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

/** What the dump was before it was queued again: null where it was nothing, or where the result says more than it. */
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

/** The row is there already. */
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
