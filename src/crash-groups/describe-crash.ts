import type { CrashKind, CrashReport } from '../crashdump/index.js';
import { storable } from '../platform/database/storable-text.js';

/** Title and classification of a group. */
export interface CrashDescription {
  title: string;
  kind: CrashKind;
  reasonClass: string;
  reason: string;
  culpritFunction: string | null;
  culpritFile: string | null;
}

const MAX_TITLE = 200;

/** The reason with the place in the firmware's own code: "LoadProhibited in sensor_read (sensor.c)". */
export function describeCrash(report: CrashReport): CrashDescription {
  const { kind, culprit } = report;
  const reasonClass = CLASSES[kind] ?? reasonWithoutPlace(report.reason);
  const culpritFunction = culprit?.function ?? null;
  const culpritFile = culprit?.file?.replace(/^.*[/\\]/, '') ?? null;
  return {
    title: storable(cut(titleOf(report, reasonClass, culpritFile), MAX_TITLE)),
    kind,
    reasonClass: storable(reasonClass),
    reason: storable(report.reason),
    culpritFunction: culpritFunction === null ? null : storable(culpritFunction),
    culpritFile: culpritFile === null ? null : storable(culpritFile),
  };
}

function titleOf(report: CrashReport, reasonClass: string, file: string | null): string {
  const { kind, culprit } = report;
  if (kind === 'TASK_RETURNED' && culprit !== null)
    return `task function ${withoutParameters(culprit.function)} returned${file === null ? '' : ` (${file})`}`;
  return `${reasonClass}${placeOf(report, file)}`;
}

function placeOf(report: CrashReport, file: string | null): string {
  const { kind, culprit, crashedTask } = report;
  // Classified by task, because the place where a stack overflow is detected is arbitrary.
  if (kind === 'STACK_OVERFLOW' && crashedTask) return ` of task ${crashedTask}`;
  if (culprit !== null)
    return ` in ${withoutParameters(culprit.function)}${file === null ? '' : ` (${file})`}`;
  const task = crashedTask ? ` in task ${crashedTask}` : '';
  return `${task}${withoutNames(report)}`;
}

/** Crashes without an ELF are grouped by the addresses of their build. */
function withoutNames({ tasks, usesElf, appElfSha256 }: CrashReport): string {
  const hasFrames = tasks.some(({ crashed, frames }) => crashed && frames.length > 0);
  if (usesElf || !hasFrames) return '';
  return appElfSha256 === null ? ' (no ELF)' : ` (no ELF of build ${appElfSha256.slice(0, BUILD_DIGITS)})`;
}

const BUILD_DIGITS = 9;

/** Kinds with one class, whatever words the chip and the version of ESP-IDF use. */
const CLASSES: Readonly<Partial<Record<CrashKind, string>>> = {
  ABORT: 'abort',
  ASSERT: 'assert failed',
  STACK_OVERFLOW: 'stack overflow',
  STACK_SMASHED: 'stack smashed',
  HEAP_CORRUPTION: 'heap corruption',
  OUT_OF_MEMORY: 'out of memory',
  TASK_RETURNED: 'task function returned',
  UNDEFINED_BEHAVIOR: 'undefined behavior',
  TASK_WATCHDOG: 'task watchdog',
  INTERRUPT_WATCHDOG: 'interrupt watchdog',
  BROWNOUT: 'brownout',
};
const MAX_CLASS = 60;

/** The reason without its variable parts: addresses, cores, line numbers. */
function reasonWithoutPlace(reason: string): string {
  const [words = ''] = reason.split(/ at (?:PC )?0x|[:(\n]/);
  return cut(words.trim() || 'unknown', MAX_CLASS);
}

function withoutParameters(name: string): string {
  return name.replace(/\(.*$/s, '') || name;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
