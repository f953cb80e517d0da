import { storable } from '../platform/database/storable-text.js';
import type { DbTransaction } from '../platform/database/types.js';
import type { ParseTask } from './parse-task.js';
import { storedReport } from './report-schema.js';
import type { CoredumpKind, CoredumpText, ParseErrorKind } from './types.js';

/** What a dump, text or summary says of itself. */
export interface DumpIdentity {
  /** See `CoredumpRow`. */
  appElfSha256: string | null;
  dumpChip: string | null;
  /** What it is; null for what is nothing of a crash, or was not looked at. */
  kind: CoredumpKind | null;
  /** Its version, as a text or summary itself says it; none for dumps. */
  ownVersion?: string | null;
}

/** Of what is no dump, or was not looked at. */
export const NO_IDENTITY: DumpIdentity = { appElfSha256: null, dumpChip: null, kind: null };

/** The result of a parse. */
export interface ParseResult extends DumpIdentity {
  status: 'PARSED' | 'ERROR';
  errorKind: ParseErrorKind | null;
  text: CoredumpText;
  firmwareId: number | null;
}

/** Errors of the storage, not of the dump: an earlier result stays valid. */
const KEEPS_EARLIER_READING: ReadonlyArray<ParseErrorKind | null> = [
  'lost_coredump',
  'lost_firmware',
  'removed_coredump',
];

/** The columns of a parsed dump. */
export function columnsOf(
  { status, errorKind, firmwareId, appElfSha256, dumpChip, kind, text }: ParseResult,
  parsedAt: Date,
) {
  return {
    parseStatus: status,
    parseErrorKind: errorKind,
    firmwareId,
    // The bytes never change, so what a look at them said once stays true.
    ...(appElfSha256 === null ? {} : { appElfSha256 }),
    ...(dumpChip === null ? {} : { dumpChip }),
    ...(kind === null ? {} : { kind }),
    fingerprint: text.report?.fingerprint ?? null,
    ...crashOf(text.report),
    parsedAt,
  };
}

const MAX_REASON_LENGTH = 500;
const MAX_TASK_LENGTH = 64;

/** What lists and filters need of a report. */
export function crashOf(report: CoredumpText['report']) {
  if (report === null) return NO_CRASH;
  return {
    crashKind: report.kind,
    crashedTask: report.crashedTask === null ? null : storable(report.crashedTask).slice(0, MAX_TASK_LENGTH),
    reason: storable(report.reason).slice(0, MAX_REASON_LENGTH),
  };
}

/** The same columns of a dump without a report. */
export const NO_CRASH = { crashKind: null, crashedTask: null, reason: null };

/** The result before the dump was queued again; null if there was none, or if the new result replaces it. */
export async function earlierReading(
  tx: DbTransaction,
  { coredumpId }: ParseTask,
  { errorKind }: ParseResult,
) {
  if (!KEEPS_EARLIER_READING.includes(errorKind)) return null;
  const earlier = await tx.earlierReading.findUnique({ where: { coredumpId } });
  if (earlier === null) return null;
  const { coredumpId: _, ...reading } = earlier;
  return { parseStatus: 'PARSED', ...reading };
}

/** Stores text and report. The row exists already. */
export async function storeText(tx: DbTransaction, coredumpId: number, { output, report }: CoredumpText) {
  const text = {
    output: storable(output),
    report: report === null ? null : storedReport(report),
  };
  await tx.coredumpText.upsert({
    where: { coredumpId },
    create: { coredumpId, ...text },
    update: text,
    select: { coredumpId: true },
  });
}
