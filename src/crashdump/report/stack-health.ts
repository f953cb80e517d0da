import { hex32 } from '../hex.js';
import { type ReadMemory, readWord } from '../read-memory.js';
import type { TaskControlBlock } from './task-control-block.js';

export interface StackHealth {
  /** Bytes at the far end that were never written; null when that part of the stack was not dumped. */
  neverUsed: number | null;
  /** Why the stack has probably overflowed; null without a sign of it. */
  overflow: string | null;
}

/** FreeRTOS fills stacks with this byte and compares the last 20 of them at a context switch (stack_macros.h). */
const FILL = 0xa5;
const FILL_WORD = 0xa5a5a5a5;
const GUARD_SIZE = 20;
/** COREDUMP_MAX_TASK_STACK_SIZE */
const LARGEST_STACK = 64 * 1024;

/** @param sp the stack pointer of the task; null when it runs on another stack (an interrupt's) */
export function stackHealth(tcb: TaskControlBlock, sp: number | null, read: ReadMemory): StackHealth {
  const { stackStart, stackEnd } = tcb;
  if (stackStart === null || stackStart === 0) return { neverUsed: null, overflow: null };

  const size = Math.min(Math.max((stackEnd ?? stackStart) - stackStart, 0), LARGEST_STACK);
  const neverUsed = countNeverUsed(stackStart, size, read);
  if (sp !== null && sp !== 0 && sp < stackStart) {
    return {
      neverUsed,
      overflow: `its stack pointer ${hex32(sp)} is ${stackStart - sp} bytes below its stack`,
    };
  }
  if (sp !== null && stackEnd !== null && sp > stackEnd) {
    return { neverUsed, overflow: `its stack pointer ${hex32(sp)} lies above its stack` };
  }
  if (neverUsed !== null && neverUsed < GUARD_SIZE && holdsFill(stackStart, size, read)) {
    return { neverUsed, overflow: 'the guard bytes at the end of its stack are overwritten' };
  }
  return { neverUsed, overflow: null };
}

function countNeverUsed(start: number, size: number, read: ReadMemory): number | null {
  if (!read(start, GUARD_SIZE)) return null;
  let count = 0;
  while (count < size && read(start + count, 1)?.[0] === FILL) count++;
  return count;
}

/**
 * Whether this firmware fills stacks: nearly every stack, even a full one, then still contains a word of the pattern.
 */
function holdsFill(start: number, size: number, read: ReadMemory): boolean {
  for (let offset = 0; offset < size; offset += 4) {
    if (readWord(read, start + offset) === FILL_WORD) return true;
  }
  return false;
}
