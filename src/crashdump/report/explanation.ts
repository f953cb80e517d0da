import type { CrashKind } from '../crash-kind.js';
import { hex32 } from '../hex.js';
import type { Culprit } from '../report.js';
import { fillPatternNear } from './fill-patterns.js';
import { wordsOfHeap, wordsOfText } from './text-explanation.js';

/** Structures and arrays that are accessed through a NULL pointer are rarely larger. */
const NULL_PAGE = 0x1000;

export interface ExplanationSources {
  kind: CrashKind;
  reason: { text: string; address: number | null; watchdogTasks: readonly string[] };
  /** The innermost place of the application's own code. */
  culprit: Culprit | null;
  taskName: string | null;
  /** The device found the task's stack broken. */
  stackIsBroken: boolean;
  /** No function is known: a write to NULL may be that of abort(). */
  isUnnamed: boolean;
  /** The innermost named function, whoever's it is. */
  innermost: string | null;
  /** What made the program call abort(), if that is known. */
  causeOfAbort: string | null;
  /** The place of the first of two exceptions, when it is known. */
  firstFault: Place | null;
}

interface Place {
  function: string | null;
  file: string | null;
  line: number | null;
}

/**
 * The reason in one plain sentence, with the place in the application's own code: "NULL pointer plus offset 0x10 read
 * in `sensor_read` at sensor.c:88". Null when it would add nothing to the reason.
 */
export function explain(sources: ExplanationSources): string | null {
  const sentence = sentenceOf(sources);
  if (!sources.stackIsBroken) return sentence;
  const broken = `the device found the stack of ${taskOf(sources.taskName)} broken, so there is no backtrace`;
  return sentence === null ? broken.replace('the', 'The') : `${sentence}; ${broken}`;
}

function sentenceOf({
  kind,
  reason,
  culprit,
  taskName,
  isUnnamed,
  innermost,
  causeOfAbort,
  firstFault,
  stackIsBroken,
}: ExplanationSources): string | null {
  const place = placeOf(culprit);
  switch (kind) {
    case 'INVALID_READ':
      return `${pointerOf(reason.address)} read${place}`;
    case 'INVALID_WRITE':
      return isUnnamed && reason.address === 0
        ? 'NULL pointer written: by a bug, or by abort(), which in ESP-IDF stops the chip this way'
        : `${pointerOf(reason.address)} written${place}`;
    case 'INVALID_ACCESS':
      return (
        wordsOfText(reason.text, place) ??
        `${pointerOf(reason.address)} accessed in a way that this memory does not allow${place}`
      );
    case 'INVALID_FETCH':
      return `A jump to ${reason.address === null ? 'an address' : pointerOf(reason.address)}, where no code is${place === '' ? '' : `, made${place}`}`;
    case 'ABORT':
      if (causeOfAbort !== null) return `${causeOfAbort}${place}`;
      return place === '' && !stackIsBroken ? null : `The program stopped itself by abort()${place}`;
    case 'ASSERT':
      return place === '' && !stackIsBroken ? null : `An assertion did not hold${place}`;
    case 'STACK_OVERFLOW':
      return `The stack of ${taskOf(taskName)} was too small: it overflowed${place}`;
    case 'STACK_SMASHED':
      return `A function wrote beyond a local array, over its own return address${place}`;
    case 'HEAP_CORRUPTION':
      return wordsOfHeap(reason.text, innermost, place);
    case 'OUT_OF_MEMORY':
      return `There was no memory left of the size and kind that was asked for${place}`;
    case 'TASK_RETURNED':
      return `The task function ${culprit === null ? `of ${taskOf(taskName)}` : culprit.function} returned; a task must delete itself instead, by vTaskDelete(NULL)${culprit?.file == null ? '' : ` (${fileOf(culprit)})`}`;
    case 'UNDEFINED_BEHAVIOR':
      return wordsOfText(reason.text, place) ?? `The code did something that C and C++ do not define${place}`;
    case 'TASK_WATCHDOG':
      return `A task kept the processor so long that others starved${starved(reason.watchdogTasks)}${place}`;
    case 'INTERRUPT_WATCHDOG':
      return `Interrupts stayed disabled, or one interrupt handler ran, for too long${place}`;
    case 'ILLEGAL_INSTRUCTION':
      return `The processor met bytes that are no instruction: overwritten code, a bad function pointer, or flash read errors${place}`;
    case 'DIVIDE_BY_ZERO':
      return `An integer was divided by zero${place}`;
    case 'CACHE_DISABLED':
      return (
        wordsOfText(reason.text, place) ??
        `Code or data in flash or PSRAM was used while the cache was off (during a flash write, by something not in IRAM/DRAM)${place}`
      );
    case 'MEMORY_PROTECTION':
      return `Memory protection stopped a write to code or a jump into data${place}`;
    case 'DOUBLE_EXCEPTION':
      return `An exception happened inside the exception handler, mostly because the stack pointer is broken${placeOf(firstFault) || place}`;
    case 'COPROCESSOR':
      return (
        wordsOfText(reason.text, place) ??
        `Floating-point code ran where it is not allowed, for instance in an interrupt handler${place}`
      );
    case 'BREAKPOINT':
      return `A breakpoint or watchpoint was hit without a debugger (a watchpoint at the end of a stack guards it)${place}`;
    case 'BROWNOUT':
      return 'The supply voltage fell below the limit of the chip: weak power supply, long cable, or a current peak';
    case 'OTHER':
      return wordsOfText(reason.text, place);
  }
}

function starved(tasks: readonly string[]): string {
  return tasks.length === 0 ? '' : ` (${tasks.join(', ')})`;
}

function taskOf(name: string | null): string {
  return name === null || name === '' ? 'the task' : `task '${name}'`;
}

function pointerOf(address: number | null): string {
  if (address === null) return 'An invalid address';
  if (address === 0) return 'NULL pointer';
  if (address < NULL_PAGE) return `NULL pointer plus offset 0x${address.toString(16)}`;
  const pattern = fillPatternNear(address);
  if (!pattern) return `Address ${hex32(address)}`;
  const offset = pattern.offset === 0 ? '' : ` plus offset 0x${pattern.offset.toString(16)}`;
  return `Pointer ${hex32(address)} (the pattern of ${pattern.meaning}${offset})`;
}

/** " in `sensor_read` at sensor.c:88"; empty without a function. */
export function placeOf(place: Place | null): string {
  if (!place?.function) return '';
  return ` in \`${place.function}\`${place.file === null ? '' : ` at ${fileOf(place)}`}`;
}

function fileOf({ file, line }: Pick<Place, 'file' | 'line'>): string {
  const name = file?.replace(/^.*[/\\]/, '') ?? '';
  return line === null ? name : `${name}:${line}`;
}
