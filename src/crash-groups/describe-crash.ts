import { type CrashKind, type CrashReport, culpritFrames } from '../crashdump/index.js';
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
  const crashed = report.tasks.find((task) => task.crashed) ?? report.tasks[0];
  const [culprit] = crashed === undefined ? [] : culpritFrames(crashed);
  const { kind } = report;
  const reasonClass = CLASSES[kind] ?? reasonWithoutPlace(report.reason);
  const culpritFunction = culprit?.function ?? null;
  const culpritFile = culprit?.file?.replace(/^.*[/\\]/, '') ?? null;
  const place = culpritFunction === null ? '' : ` in ${withoutParameters(culpritFunction)}`;
  const file = culpritFile === null ? '' : ` (${culpritFile})`;
  // Classified by task, because the place where a stack overflow is detected is arbitrary.
  const where =
    kind === 'STACK_OVERFLOW' && report.crashedTask !== null
      ? ` of task ${report.crashedTask}`
      : `${place}${file}`;
  return {
    title: storable(cut(`${reasonClass}${where}`, MAX_TITLE)),
    kind,
    reasonClass: storable(reasonClass),
    reason: storable(report.reason),
    culpritFunction: culpritFunction === null ? null : storable(culpritFunction),
    culpritFile: culpritFile === null ? null : storable(culpritFile),
  };
}

/** Kinds with one class, whatever words the chip and the version of ESP-IDF use. */
const CLASSES: Readonly<Partial<Record<CrashKind, string>>> = {
  ABORT: 'abort',
  ASSERT: 'assert failed',
  STACK_OVERFLOW: 'stack overflow',
  STACK_SMASHED: 'stack smashed',
  TASK_WATCHDOG: 'task watchdog',
  INTERRUPT_WATCHDOG: 'interrupt watchdog',
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
