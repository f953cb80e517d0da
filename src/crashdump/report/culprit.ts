import type { FirmwareImage } from '../firmware/firmware-image.js';
import { type ReadMemory, readWord } from '../read-memory.js';
import type { CrashReport, CrashTask, Culprit, StackFrame } from '../report.js';
import { callerOfAbort } from './panic-text.js';
import { culpritFrames } from './system-frames.js';
import { isSystemFunction } from './system-functions.js';

type Crash = Pick<CrashReport, 'kind' | 'tasks' | 'watchdogTasks' | 'usesElf'> &
  Partial<Pick<CrashReport, 'source'>>;

/** Whether names of frames may be used: those of another build's ELF would blame functions by chance. */
export function mayName({ usesElf }: Pick<CrashReport, 'usesElf'>): boolean {
  return usesElf;
}

/** The crashed task's frames of the application's own code, innermost first. None where names may not be used. */
export function ownFrames(crash: Crash): StackFrame[] {
  const crashed = crash.tasks.find((task) => task.crashed);
  if (crashed === undefined || !mayName(crash)) return [];
  const own = culpritFrames(crashed).filter((frame) => isFound(frame, crashed, crash));
  if (crash.kind !== 'TASK_WATCHDOG' || (own.length > 0 && !isIdle(crashed.name))) return own;
  // The running task is not to blame: one that the watchdog waited for has stopped somewhere else.
  const late = crash.tasks.find((task) => !isIdle(task.name) && isNamed(crash.watchdogTasks, task));
  const ofLate = late === undefined ? [] : culpritFrames(late);
  return ofLate.length > 0 ? ofLate : own;
}

/**
 * False for an address of a list, or a word of a printed stack: it may be anything. A frame that the reader itself
 * recovered from a stack leads to the outermost function, so the backtrace has no end to explain.
 */
export function isFound(
  { trust }: StackFrame,
  { backtraceEnd }: Pick<CrashTask, 'backtraceEnd'>,
  { source = 'core_dump' }: Partial<Pick<CrashReport, 'source'>>,
): boolean {
  return source === 'core_dump' || trust !== 'scan' || backtraceEnd === null;
}

function isIdle(name: string): boolean {
  return /^IDLE\d?$/.test(name);
}

/** "loopTask (CPU 1)" */
function isNamed(watchdogTasks: readonly string[], { name }: CrashTask): boolean {
  return name !== '' && watchdogTasks.some((line) => line === name || line.startsWith(`${name} (`));
}

/** The innermost own frame; null without one. */
export function culpritOfFrames(crash: Crash): Culprit | null {
  const [frame] = ownFrames(crash);
  return frame === undefined ? null : toCulprit(frame);
}

function toCulprit({
  function: name,
  file,
  line,
}: Pick<StackFrame, 'function' | 'file' | 'line'>): Culprit | null {
  return name === null ? null : { function: name, file, line };
}

/** The function that called abort() by the text, for a backtrace that does not reach it. */
export function culpritOfText(reason: string, firmware: FirmwareImage): Culprit | null {
  const pc = callerOfAbort(reason);
  const frame = pc === null ? undefined : firmware.framesAt(pc)[0];
  return frame?.function == null || isSystemFunction(frame.function) ? null : toCulprit(frame);
}

/** The wrapper's frame is the outermost one. */
const WRAPPER = 'vPortTaskWrapper';
/** Bytes at the base of a stack that hold the wrapper's frame. */
const BASE = 256;

/**
 * The function of a task that returned: the wrapper's argument, else the one function whose first address lies at the
 * base of the stack, where the wrapper keeps it.
 */
export function returnedFunction(
  { frames }: Pick<CrashTask, 'frames'>,
  stackEnd: number | null,
  { firmware, read }: { firmware: FirmwareImage; read: ReadMemory },
): Culprit | null {
  const argument = frames.findLast((frame) => frame.function === WRAPPER)?.arguments[0]?.value;
  const passed = /^0x([0-9a-f]+) <[^>+]+>$/.exec(argument ?? '')?.[1];
  if (passed !== undefined) return functionAt(Number.parseInt(passed, 16), firmware);
  const found = new Map<number, Culprit>();
  for (let offset = 4; stackEnd !== null && offset <= BASE; offset += 4) {
    const address = readWord(read, stackEnd - offset);
    const culprit = address === null ? null : functionAt(address, firmware);
    if (address !== null && culprit !== null && culprit.function !== WRAPPER) found.set(address, culprit);
  }
  const [only] = found.values();
  return found.size === 1 ? (only ?? null) : null;
}

/** Null unless a function begins exactly there. */
function functionAt(address: number, firmware: FirmwareImage): Culprit | null {
  if (firmware.symbolAt(address)?.address !== address) return null;
  const frame = firmware.framesAt(address)[0];
  return frame === undefined ? null : toCulprit(frame);
}
