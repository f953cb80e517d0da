import type { ReadMemory } from './memory.js';
import { hex32 } from './registers.js';
import type { TaskControlBlock } from './task-control-block.js';

export interface StackHealth {
  /** Bytes at the far end that were never written; null when the dump does not hold that part of the stack. */
  neverUsed: number | null;
  /** Why the stack must be taken for overflowed; null when nothing says so. */
  overflow: string | null;
}

/** FreeRTOS fills stacks with this byte and compares the last 20 of them at a context switch (stack_macros.h). */
const FILL = 0xa5;
const GUARD_SIZE = 20;

/** @param sp the stack pointer of the task; null when it runs on another stack (an interrupt's) */
export function stackHealth(tcb: TaskControlBlock, sp: number | null, read: ReadMemory): StackHealth {
  const { stackStart, stackEnd } = tcb;
  if (stackStart === null || stackStart === 0) return { neverUsed: null, overflow: null };

  const neverUsed = countNeverUsed(stackStart, stackEnd, read);
  if (sp !== null && sp !== 0 && sp < stackStart) {
    return {
      neverUsed,
      overflow: `its stack pointer ${hex32(sp)} is ${stackStart - sp} bytes below its stack`,
    };
  }
  if (sp !== null && stackEnd !== null && sp > stackEnd + 64) {
    return { neverUsed, overflow: `its stack pointer ${hex32(sp)} lies above its stack` };
  }
  if (neverUsed !== null && neverUsed < GUARD_SIZE) {
    return { neverUsed, overflow: 'the guard bytes at the end of its stack are overwritten' };
  }
  return { neverUsed, overflow: null };
}

function countNeverUsed(start: number, end: number | null, read: ReadMemory): number | null {
  if (!read(start, GUARD_SIZE)) return null;
  const limit = end === null ? 64 * 1024 : Math.min(Math.max(end - start, 0), 64 * 1024);
  let count = 0;
  while (count < limit && read(start + count, 1)?.[0] === FILL) count++;
  return count;
}
