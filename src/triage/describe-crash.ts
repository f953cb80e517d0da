import { culpritFrames } from '../crashdump/index.js';
import type { CrashReport } from '../crashdump/report.js';

/** What a group is called by and sorted into. */
export interface CrashDescription {
  title: string;
  reasonClass: string;
  reason: string;
  culpritFunction: string | null;
  culpritFile: string | null;
}

const MAX_TITLE = 200;
const STACK_OVERFLOW = 'stack overflow';

/** The reason's words with the place of one's own code: "LoadProhibited in sensor_read (sensor.c)". */
export function describeCrash(report: CrashReport): CrashDescription {
  const crashed = report.tasks.find((task) => task.crashed) ?? report.tasks[0];
  const [culprit] = crashed === undefined ? [] : culpritFrames(crashed);
  const reasonClass = reasonClassOf(report.reason);
  const culpritFunction = culprit?.function ?? null;
  const culpritFile = culprit?.file?.replace(/^.*[/\\]/, '') ?? null;
  const place = culpritFunction === null ? '' : ` in ${withoutParameters(culpritFunction)}`;
  const file = culpritFile === null ? '' : ` (${culpritFile})`;
  // Overflows are told apart by their task: where one is found is chance.
  const where =
    reasonClass === STACK_OVERFLOW && report.crashedTask !== null
      ? ` of task ${report.crashedTask}`
      : `${place}${file}`;
  return {
    title: cut(`${reasonClass}${where}`, MAX_TITLE),
    reasonClass,
    reason: report.reason,
    culpritFunction,
    culpritFile,
  };
}

/** As ESP-IDF words them (panic.c, assert.c, task_wdt.c, stack_check.c, FreeRTOS-Kernel hooks). */
const KNOWN_CLASSES: ReadonlyArray<readonly [RegExp, string]> = [
  [/^abort\(\)/, 'abort'],
  [/^assert failed/i, 'assert failed'],
  [/stack overflow/i, STACK_OVERFLOW],
  [/stack smashing/i, 'stack smashed'],
  [/task watchdog/i, 'task watchdog'],
  [/interrupt w(atch)?d(og|t)/i, 'interrupt watchdog'],
];
const MAX_CLASS = 60;

/** The reason without what differs from crash to crash: addresses, cores, numbers of lines. */
function reasonClassOf(reason: string): string {
  const known = KNOWN_CLASSES.find(([pattern]) => pattern.test(reason));
  if (known !== undefined) return known[1];
  const [words = ''] = reason.split(/ at (?:PC )?0x|[:(\n]/);
  return cut(words.trim() || 'unknown', MAX_CLASS);
}

function withoutParameters(name: string): string {
  return name.replace(/\(.*$/s, '') || name;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
