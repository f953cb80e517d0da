import type { CrashKind } from '../crash-kind.js';
import type { StackFrame } from '../report.js';
import { isRustPanic } from './rust-runtime-frames.js';
import { isHeapFunction, isStoppingFunction, plainName } from './system-functions.js';

/** Functions that end in a write to address 0, which stops the chip. */
const ABORTS = new Set(['panic_abort', 'invoke_abort', 'abort']);
const OF_WATCHDOG = /^(?:task_wdt_|esp_task_wdt_)/;
const OF_RETURNED_TASK = new Set(['vPortTaskWrapper', 'prvTaskExitError', '_prvTaskExitError']);
const FAULTS: ReadonlySet<CrashKind> = new Set(['INVALID_READ', 'INVALID_WRITE', 'INVALID_ACCESS']);
/** A panic of Rust ends in an instruction that stops the chip, or in a loop of its handler. */
const ENDS_OF_PANICS: ReadonlySet<CrashKind> = new Set([
  'ABORT',
  'BREAKPOINT',
  'ILLEGAL_INSTRUCTION',
  'OTHER',
]);
/** They read what their caller gave them. */
const COPIES_TEXT = /str/;

/**
 * A more exact kind, by who stopped the program: `abort()` is called by the heap, by FreeRTOS when a task's function
 * returns, and by many others.
 * @param frames of the crashed task, with trustworthy names
 */
export function kindByFrames(kind: CrashKind, frames: readonly StackFrame[]): CrashKind {
  const names = frames.map((frame) => plainName(frame.function ?? ''));
  const [innermost = ''] = names;
  if (FAULTS.has(kind) && isHeapFunction(innermost) && !COPIES_TEXT.test(innermost)) return 'HEAP_CORRUPTION';
  if (ENDS_OF_PANICS.has(kind) && frames.some(isPanic)) return 'ABORT';
  const isAbort = kind === 'ABORT' || (kind === 'INVALID_WRITE' && ABORTS.has(innermost));
  return isAbort ? kindOfAbort(names) : kind;
}

/** What made the program call abort(), as far as the names and arguments of its frames tell; null when they do not. */
export function causeOfAbort(frames: readonly StackFrame[]): string | null {
  const check = frames.find((frame) => ERROR_CHECKS.has(plainName(frame.function ?? '')));
  if (check !== undefined) {
    const code = check.arguments.find(({ name }) => name === 'rc')?.value ?? '';
    return `ESP_ERROR_CHECK got an error${/^-?\d{1,10}$/.test(code) ? ` (${hex(Number(code))})` : ''}`;
  }
  if (frames.some(isPanic)) return 'The Rust program panicked';
  const names = frames.map((frame) => plainName(frame.function ?? ''));
  const thrown = names
    .map((name) => /^std::__throw_(\w+?)(?:_fmt)?$/.exec(name)?.[1])
    .find((type) => type !== undefined);
  if (thrown !== undefined) return `A C++ exception (std::${thrown}) was thrown and not caught`;
  return names.some((name) => THROWS.has(name)) ? 'A C++ exception was thrown and not caught' : null;
}

function isPanic(frame: StackFrame): boolean {
  return frame.function !== null && isRustPanic(frame.function);
}

const ERROR_CHECKS = new Set(['_esp_error_check_failed', '__esp_error_check_failed']);
const THROWS = new Set(['std::terminate', '__cxxabiv1::__terminate', '__cxa_throw']);

/** As ESP-IDF writes error codes: "0x103", and -1 for ESP_FAIL. */
function hex(code: number): string {
  return code < 0 ? String(code) : `0x${code.toString(16)}`;
}

function kindOfAbort(names: readonly string[]): CrashKind {
  const count = names.findIndex((name) => !isStoppingFunction(name));
  const stopping = names.slice(0, count < 0 ? names.length : count);
  const caller = count < 0 ? '' : (names[count] ?? '');
  if (stopping.includes('vApplicationStackOverflowHook')) return 'STACK_OVERFLOW';
  if (stopping.includes('__stack_chk_fail')) return 'STACK_SMASHED';
  if (stopping.some((name) => name.startsWith('__ubsan_'))) return 'UNDEFINED_BEHAVIOR';
  if (OF_WATCHDOG.test(caller)) return 'TASK_WATCHDOG';
  if (OF_RETURNED_TASK.has(caller)) return 'TASK_RETURNED';
  if (stopping.includes('std::__throw_bad_alloc') || /^(?:operator new|heap_caps_alloc_failed)/.test(caller))
    return 'OUT_OF_MEMORY';
  if (isHeapFunction(caller)) return 'HEAP_CORRUPTION';
  return stopping.some((name) => /^__assert/.test(name)) ? 'ASSERT' : 'ABORT';
}
