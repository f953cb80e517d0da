import type { Dump } from '../core/core.js';
import type { CrashKind } from '../crash-kind.js';
import { printable } from '../printable.js';
import { type ReadMemory, readWord } from '../read-memory.js';

/** A panic's text in parts: the device's text of a task watchdog has a line for each task. */
export interface PanicText {
  /** One line. */
  text: string;
  /** "IDLE0 (CPU 0)" */
  watchdogTasks: string[];
}

const MAX_WATCHDOG_TASKS = 64;

/** Makes one line of a text of the device; a list of tasks below it becomes a list. */
export function splitPanicText(details: string): PanicText {
  const lines = details
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const text = (lines[0] ?? '').replace(/^ERROR: /, '');
  if (kindOfText(text) !== 'TASK_WATCHDOG')
    return { text: [text, ...lines.slice(1)].join(' '), watchdogTasks: [] };
  const tasks = lines.slice(1).flatMap((line) => /^-\s*(.+)$/.exec(line)?.[1] ?? []);
  return { text: text.replace(/:$/, ''), watchdogTasks: tasks.slice(0, MAX_WATCHDOG_TASKS) };
}

/**
 * The heap's own files and functions in the text of an assertion (multi_heap.c, tlsf.c, heap_caps.c): the heap found its
 * data damaged, or got a pointer that is none of its.
 */
const HEAP_ASSERT =
  /^assert failed: (?:(?:multi_heap|tlsf|heap_caps|block|remove_free_block|insert_free_block|search_suitable_block|assert_valid_block|verify_)\w* |.*\b(?:multi_heap|tlsf|heap_tlsf|heap_caps|multi_heap_poisoning)\w*\.[ch]:\d)/;

/** The texts of ESP-IDF by kind; the first that fits decides. */
const TEXTS: readonly (readonly [RegExp, CrashKind])[] = [
  // FreeRTOS' hook, the end-of-stack watchpoint, the coprocessor's save area.
  [/stack overflow|stack canary watchpoint/i, 'STACK_OVERFLOW'],
  [/stack smashing/i, 'STACK_SMASHED'],
  [/^CORRUPT HEAP:/, 'HEAP_CORRUPTION'],
  [HEAP_ASSERT, 'HEAP_CORRUPTION'],
  [/^mem alloc fail|^memory allocation failed/i, 'OUT_OF_MEMORY'],
  [/^assert failed: _?prvTaskExitError\b/, 'TASK_RETURNED'],
  [/^(?:FreeRTOS: )?FreeRTOS Task ".*" should not return/, 'TASK_RETURNED'],
  [/^assert(?:ion)? (?:".*" )?failed/i, 'ASSERT'],
  [/task watchdog/i, 'TASK_WATCHDOG'],
  [/interrupt w(atch)?d(og|t)/i, 'INTERRUPT_WATCHDOG'],
  [/^abort\(\)/, 'ABORT'],
  // Rust: esp-backtrace.
  [/^(?:A panic occured|panicked at )/, 'ABORT'],
  [/^ESP_ERROR_CHECK failed/, 'ABORT'],
  [/^Undefined behavior of type/, 'UNDEFINED_BEHAVIOR'],
  [/^(?:KASAN|ASAN)\b/, 'INVALID_ACCESS'],
  [/coprocessor|task must migrate to core/i, 'COPROCESSOR'],
  [/^unhandled debug exception|^debug exception/i, 'BREAKPOINT'],
  [/^double exception/i, 'DOUBLE_EXCEPTION'],
  [/^cache (?:disabled|error)|write to cache|cached memory region|MMU entry fault/i, 'CACHE_DISABLED'],
  [/^memory protection fault/i, 'MEMORY_PROTECTION'],
  [/brownout/i, 'BROWNOUT'],
];

/** The kind that a text of ESP-IDF tells (panic.c, assert.c, task_wdt.c, ubsan.c, FreeRTOS' hooks); OTHER without one. */
export function kindOfText(text: string): CrashKind {
  const start = text.slice(0, LONGEST_TEXT);
  return TEXTS.find(([pattern]) => pattern.test(start))?.[1] ?? 'OTHER';
}

/** The address that the text of `abort()` names: in the call instruction. Null for other texts. */
export function callerOfAbort(text: string): number | null {
  const pc = /^abort\(\) was called at PC (0x[0-9a-f]{8})\b/.exec(text)?.[1];
  return pc === undefined ? null : Number(pc);
}

/** The beginnings of texts that ESP-IDF gives to `panic_abort`. */
const BEGINNINGS = [
  'abort() was called at PC 0x',
  'assert failed: ',
  '***ERROR*** A stack overflow in task ',
  'Stack smashing protect failure!',
  'Undefined behavior of type ',
  'Mem alloc fail. size 0x',
  'Memory allocation failed',
  'FreeRTOS: FreeRTOS Task "',
  'KASAN: ',
];
const LONGEST_TEXT = 256;
/** The text, or a pointer to it, lies in the frames of at most four functions. */
const SEARCHED_STACK = 1024;

/**
 * The text that was given to `panic_abort(const char *details)`, of a dump that does not carry it: dumps of IDF before 5.1
 * and all BIN dumps. The text is in a local array, so a register or the stack still points to it. Without symbols it is
 * recognised by its words.
 */
export function panicTextInMemory(dump: Dump, read: ReadMemory): string | null {
  const crashed = dump.tasks[0];
  if (!crashed) return null;
  const { general } = crashed.registers;
  const sp = general[dump.architecture.stackPointer] ?? 0;
  const pointers = [general[dump.architecture.firstArgument] ?? 0, ...general];
  for (let offset = 0; offset < SEARCHED_STACK; offset += 4) {
    const word = readWord(dump.memory.read, sp + offset);
    if (word === null) break;
    pointers.push(word);
  }
  for (const pointer of new Set(pointers)) {
    const text = panicTextAt(pointer, read);
    if (text !== null) return text;
  }
  return null;
}

function panicTextAt(address: number, read: ReadMemory): string | null {
  // Most words are no pointers at all: the first bytes decide.
  const start = read(address, 4);
  if (!start || !BEGINNINGS.some((text) => start.every((byte, index) => byte === text.charCodeAt(index))))
    return null;
  const text = textAt(address, read);
  return text !== null && BEGINNINGS.some((beginning) => text.startsWith(beginning)) ? text : null;
}

/** A text with its end; null when there is none within the longest that is expected. */
export function textAt(address: number, read: ReadMemory): string | null {
  const bytes: number[] = [];
  while (bytes.length < LONGEST_TEXT) {
    const byte = read(address + bytes.length, 1)?.[0];
    if (byte === undefined) return null;
    if (byte === 0) break;
    bytes.push(byte);
  }
  const text = printable(new TextDecoder().decode(Uint8Array.from(bytes))).trim();
  return text === '' ? null : text;
}
