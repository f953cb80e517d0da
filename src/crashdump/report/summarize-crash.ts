import type { Dump } from '../core/core.js';
import type { FirmwareImage, SourceFrame } from '../firmware/firmware-image.js';
import type { CrashReport, CrashTask, Culprit } from '../report.js';
import { culpritOfFrames, culpritOfText, mayName, returnedFunction } from './culprit.js';
import { explainReport } from './explain-report.js';
import { type FingerprintSources, fingerprint } from './fingerprint.js';
import { kindByFrames } from './kind-by-frames.js';
import { splitPanicText } from './panic-text.js';
import { kindOfReason, type PanicReason } from './reason.js';

export type CrashSummary = Pick<
  CrashReport,
  'kind' | 'reason' | 'explanation' | 'watchdogTasks' | 'culprit' | 'fingerprint'
>;

interface Sources
  extends Pick<
    CrashReport,
    'source' | 'tasks' | 'crashedTask' | 'chip' | 'appElfSha256' | 'elfMatch' | 'usesElf'
  > {
  dump: Dump;
  /** Only the build that crashed. */
  firmware: FirmwareImage | null;
  reason: PanicReason;
}

/** What happened, to whom, and the group of the crash. */
export function summarizeCrash({ dump, firmware, reason, ...report }: Sources): CrashSummary {
  const crashed = report.tasks.find((task) => task.crashed);
  const kind = kindOf(reason.kind, report, crashed);
  const text = textOf(kind, reason, crashed);
  const known = { ...report, kind, reason: text, watchdogTasks: reason.watchdogTasks };
  const culprit = culpritOfFrames(known) ?? culpritWithoutFrames(known, { dump, firmware, crashed });
  const facts = { ...known, address: reason.address, culprit };
  const explanation = explainReport(facts, firstFault(dump, firmware));
  const { watchdogTasks } = reason;
  return {
    kind,
    reason: text,
    explanation,
    watchdogTasks,
    culprit,
    fingerprint: fingerprint({ ...known, culprit }),
  };
}

function kindOf(
  kind: CrashReport['kind'],
  report: Pick<CrashReport, 'elfMatch' | 'usesElf'>,
  crashed: CrashTask | undefined,
): CrashReport['kind'] {
  return crashed === undefined || !mayName(report) ? kind : kindByFrames(kind, crashed.frames);
}

/** A write to NULL that turns out to be that of abort() gets the text that the device printed. */
function textOf(kind: CrashReport['kind'], reason: PanicReason, crashed: CrashTask | undefined): string {
  if (kind === reason.kind || reason.kind !== 'INVALID_WRITE' || kind === 'HEAP_CORRUPTION')
    return reason.text;
  const frames = crashed?.frames ?? [];
  const caller = frames[frames.findLastIndex((frame) => frame.function === 'abort') + 1];
  if (kind === 'ASSERT') return 'assert failed';
  if (caller === undefined || caller === frames[0]) return 'abort() was called';
  return `abort() was called at PC 0x${(Number(caller.pc) - 3).toString(16)}`;
}

function culpritWithoutFrames(
  { kind, reason }: { kind: CrashReport['kind']; reason: string },
  { dump, firmware, crashed }: { dump: Dump; firmware: FirmwareImage | null; crashed: CrashTask | undefined },
): Culprit | null {
  if (firmware === null || crashed === undefined || crashed.stackCorrupted) return null;
  if (kind === 'TASK_RETURNED')
    return returnedFunction(crashed, dump.tasks[0]?.stack?.end ?? null, { firmware, read: dump.memory.read });
  return culpritOfText(reason, firmware);
}

/** The place of the first of two exceptions: EPC1 keeps it (Xtensa ISA §4.4.1.10). */
function firstFault(dump: Dump, firmware: FirmwareImage | null): SourceFrame | null {
  const epc1 = dump.exception.epc.find(([level]) => level === 1)?.[1];
  return epc1 === undefined ? null : (firmware?.framesAt(epc1)[0] ?? null);
}

type Incomplete = Omit<FingerprintSources, 'kind' | 'culprit' | 'watchdogTasks'> &
  Partial<Pick<CrashReport, 'kind' | 'culprit' | 'watchdogTasks'>> & { fingerprint: string | null };

/**
 * What a report of an earlier version or of another sidecar leaves out, as far as its frames tell: kind, culprit and the
 * fingerprint, so that every crash has a group.
 */
export function completeSummary(report: Incomplete): Omit<CrashSummary, 'explanation'> {
  const isOurs = report.culprit !== undefined && report.kind !== undefined;
  const { text, watchdogTasks } = splitPanicText(report.reason);
  const crashed = report.tasks.find((task) => task.crashed);
  const told = report.kind ?? kindOfReason(text);
  const known = {
    ...report,
    kind: isOurs ? told : kindOf(olderKind(told, text, crashed), report, crashed),
    reason: text === '' ? report.reason : text,
    watchdogTasks: report.watchdogTasks ?? watchdogTasks,
  };
  const culprit = report.culprit === undefined ? culpritOfFrames(known) : report.culprit;
  return {
    kind: known.kind,
    reason: known.reason,
    watchdogTasks: known.watchdogTasks,
    culprit,
    fingerprint: report.fingerprint ?? fingerprint({ ...known, culprit }),
  };
}

/** Earlier versions did not know the end-of-stack watchpoint, and had fewer kinds for texts. */
function olderKind(
  kind: CrashReport['kind'],
  text: string,
  crashed: CrashTask | undefined,
): CrashReport['kind'] {
  if (kind === 'BREAKPOINT' && crashed?.stackOverflow != null) return 'STACK_OVERFLOW';
  return kind === 'OTHER' || kind === 'ASSERT' || kind === 'ABORT' ? kindOfReason(text) : kind;
}
