import { hex32 } from '../hex.js';
import type { StackFrame } from '../report.js';
import { fillPatternNear } from './fill-patterns.js';
import type { PanicReason } from './reason.js';

/** Structures and arrays that are accessed through a NULL pointer are rarely larger. */
const NULL_PAGE = 0x1000;

export interface ExplanationSources {
  reason: PanicReason;
  /** The innermost frame of the application's own code. */
  culprit: Place | null;
  taskName: string | null;
  /** The place of the first of two exceptions, when it is known. */
  firstFault: Place | null;
}

type Place = Pick<StackFrame, 'function' | 'file' | 'line'>;

/**
 * The reason in one plain sentence, with the place in the application's own code: "NULL pointer plus offset 0x10 read
 * in `sensor_read` at sensor.c:88". Null when it would add nothing to the reason.
 */
export function explain({ reason, culprit, taskName, firstFault }: ExplanationSources): string | null {
  const place = placeOf(culprit);
  switch (reason.kind) {
    case 'INVALID_READ':
      return `${pointerOf(reason.address)} read${place}`;
    case 'INVALID_WRITE':
      return `${pointerOf(reason.address)} written${place}`;
    case 'INVALID_ACCESS':
      return `${pointerOf(reason.address)} accessed in a way that this memory does not allow${place}`;
    case 'INVALID_FETCH':
      return `A jump to ${pointerOf(reason.address)}, where no code is${place === '' ? '' : `, made${place}`}`;
    case 'ABORT':
      return place === '' ? null : `The program stopped itself by abort()${place}`;
    case 'ASSERT':
      return place === '' ? null : `An assertion did not hold${place}`;
    case 'STACK_OVERFLOW':
      return `The stack of ${taskName === null ? 'the task' : `task '${taskName}'`} was too small: it overflowed${place}`;
    case 'STACK_SMASHED':
      return `A function wrote beyond a local array, over its own return address${place}`;
    case 'TASK_WATCHDOG':
      return `A task kept the processor so long that others starved${place}`;
    case 'INTERRUPT_WATCHDOG':
      return `Interrupts stayed disabled, or one interrupt handler ran, for too long${place}`;
    case 'ILLEGAL_INSTRUCTION':
      return `The processor met bytes that are no instruction: overwritten code, a bad function pointer, or flash read errors${place}`;
    case 'DIVIDE_BY_ZERO':
      return `An integer was divided by zero${place}`;
    case 'CACHE_DISABLED':
      return `Code or data in flash or PSRAM was used while the cache was off (during a flash write, by something not in IRAM/DRAM)${place}`;
    case 'MEMORY_PROTECTION':
      return `Memory protection stopped a write to code or a jump into data${place}`;
    case 'DOUBLE_EXCEPTION':
      return `An exception happened inside the exception handler, mostly because the stack pointer is broken${placeOf(firstFault) || place}`;
    case 'COPROCESSOR':
      return `Floating-point code ran where it is not allowed, for instance in an interrupt handler${place}`;
    case 'BREAKPOINT':
      return `A breakpoint or watchpoint was hit without a debugger (a watchpoint at the end of a stack guards it)${place}`;
    case 'OTHER':
      return null;
  }
}

function pointerOf(address: number | null): string {
  if (address === null) return 'Memory';
  if (address === 0) return 'NULL pointer';
  if (address < NULL_PAGE) return `NULL pointer plus offset 0x${address.toString(16)}`;
  const pattern = fillPatternNear(address);
  if (!pattern) return `Address ${hex32(address)}`;
  const offset = pattern.offset === 0 ? '' : ` plus offset 0x${pattern.offset.toString(16)}`;
  return `Pointer ${hex32(address)} (the pattern of ${pattern.meaning}${offset})`;
}

function placeOf(frame: Place | null | undefined): string {
  if (!frame?.function) return '';
  const file = frame.file?.replace(/^.*[/\\]/, '');
  const line = file === undefined ? '' : ` at ${file}${frame.line === null ? '' : `:${frame.line}`}`;
  return ` in \`${frame.function}\`${line}`;
}
