import { hexOf } from '../hex.js';
import type { CrashReport, StackFrame } from '../report.js';
import { sha256 } from '../system.js';
import { isFound, mayName, ownFrames } from './culprit.js';

/** Incremented when the recipe below changes, so that fingerprints of different recipes are never equal. */
export const FINGERPRINT_VERSION = 'v2';
const FRAMES = 5;
/** Without symbols nothing says which frames are the application's own. */
const ADDRESSES = 12;
/** The fewest digits that a build can be configured to keep (CONFIG_APP_RETRIEVE_LEN_ELF_SHA). */
const SHA_DIGITS = 8;

export type FingerprintSources = Pick<
  CrashReport,
  | 'kind'
  | 'reason'
  | 'crashedTask'
  | 'tasks'
  | 'culprit'
  | 'watchdogTasks'
  | 'elfMatch'
  | 'usesElf'
  | 'appElfSha256'
  | 'chip'
> &
  Partial<Pick<CrashReport, 'source'>>;

/**
 * A name for the place of a crash that is stable across builds, for grouping dumps. Every report has one.
 *
 * Recipe v2: the fingerprint is `v2:` and the first 16 hexadecimal digits of the SHA-256 of some lines joined by
 * newlines. The lines are those of the first case that fits:
 * - an overflowed stack: `stack of task NAME`, because the overflow is detected at an arbitrary place;
 * - a task's function that returned: `task function NAME`, or `function of task NAME` where the function is unknown;
 * - no crashed task, or one that the device found broken: kind, text and task;
 * - no ELF of this build: build, chip, kind and the addresses of the frames. The crash gets another fingerprint when its
 *   ELF arrives;
 * - own frames, which are all but those without a name, in ROM, or of system functions (if none remain, those of the
 *   interrupted task): the innermost five as `function@file`, the file without its folders (build machines differ),
 *   empty when unknown. Of a recursive function one frame is kept;
 * - the function that the panic's text points to: the same line of it;
 * - else kind, text, task and the innermost five named frames.
 *
 * A text has `#` in place of its numbers. Line numbers and argument values are never used.
 */
export function fingerprint(report: FingerprintSources): string {
  const digest = hexOf(sha256(linesOf(report).join('\n')));
  return `${FINGERPRINT_VERSION}:${digest.slice(0, 16)}`;
}

function linesOf(report: FingerprintSources): string[] {
  const { kind, culprit } = report;
  const crashed = report.tasks.find((task) => task.crashed);
  const task = `task ${taskOf(report) ?? ''}`;
  if (kind === 'STACK_OVERFLOW' && taskOf(report) !== null) return [`stack of ${task}`];
  if (kind === 'TASK_RETURNED')
    return [culprit === null ? `function of ${task}` : `task function ${culprit.function}`];
  const what = [kind, withoutNumbers(report.reason)];
  const all = crashed === undefined ? [] : [...crashed.frames, ...crashed.interruptedFrames];
  if (all.length === 0) return [...what, task];
  if (!mayName(report) || !all.some(isNamed)) {
    const build = report.appElfSha256?.slice(0, SHA_DIGITS) ?? '';
    return [`build ${build}`, report.chip, kind, placeOfText(report.reason), ...addressesOf(all)];
  }
  const own = ownFrames(report);
  if (own.length > 0) return placesOf(own);
  if (culprit !== null) return placesOf([culprit]);
  const named = all.filter(isNamed);
  const found = named.filter((frame) => crashed !== undefined && isFound(frame, crashed, report));
  return [...what, task, ...placesOf(found.length > 0 ? found : named)];
}

/** A ROM ELF, which names functions of the ROM, does not belong to the build. */
function isNamed(frame: StackFrame): boolean {
  return frame.function !== null && !frame.inRom;
}

const OVERFLOWED =
  /stack overflow in task (.{1,64}) has been detected|canary watchpoint triggered \((.{1,64})\)/;

/** FreeRTOS names the task of an overflowed stack even where the device found the crashed task broken. */
function taskOf({ crashedTask, reason }: FingerprintSources): string | null {
  const named = OVERFLOWED.exec(reason);
  return crashedTask || named?.[1] || named?.[2] || null;
}

/** The text without addresses, line numbers and sizes. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/0x[0-9a-f]+|\b\d+\b/gi, '#');
}

/** The address in the code that a text names: of abort()'s caller. */
function placeOfText(reason: string): string {
  return /\bPC (0x[0-9a-f]+)/i.exec(reason)?.[1] ?? withoutNumbers(reason);
}

/** Of frames that were found and not guessed; of a recursive function one. */
function addressesOf(frames: readonly StackFrame[]): string[] {
  return frames
    .filter(({ trust }) => trust !== 'scan')
    .map(({ pc }) => pc)
    .filter((pc, index, all) => pc !== all[index - 1])
    .slice(0, ADDRESSES);
}

function placesOf(frames: readonly { function: string | null; file: string | null }[]): string[] {
  return frames
    .map((frame) => `${frame.function}@${baseName(frame.file)}`)
    .filter((line, index, all) => line !== all[index - 1])
    .slice(0, FRAMES);
}

function baseName(path: string | null): string {
  return path?.replace(/^.*[/\\]/, '') ?? '';
}
