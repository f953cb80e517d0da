import type { Dump } from '../core/core.js';
import type { FirmwareImage } from '../firmware/firmware-image.js';
import { stackHealth } from './stack-health.js';
import { readTaskControlBlock } from './task-control-block.js';
import type { TaskLayout } from './task-layout.js';

/**
 * The watched bytes end at most this far above the stack's lowest address: 32 of them, at an address divisible by 32
 * (vPortSetStackWatchpoint).
 */
const WATCHED = 64;
/** What an exception or a window overflow writes below the stack pointer. */
const BELOW_POINTER = 160;

/**
 * Whether a debug exception came from the watchpoint at the end of the crashed task's stack
 * (CONFIG_FREERTOS_WATCHPOINT_END_OF_STACK). The registers that would say which watchpoint it was are not in a dump. So
 * the stack must be used up, and nothing may speak against it: another address, or a break instruction on a stack of
 * which some is left.
 */
export function endOfStackWatchpoint(
  dump: Dump,
  firmware: FirmwareImage | null,
  layout: TaskLayout | null,
): boolean {
  const crashed = dump.tasks[0];
  if (!crashed || dump.crashedTcb === null || dump.inInterrupt === true) return false;
  const { architecture, memory, exception } = dump;
  const { pc, general } = crashed.registers;
  const tcb = readTaskControlBlock(crashed, memory.read, layout);
  const sp = general[architecture.stackPointer] ?? 0;
  const start = tcb.stackStart ?? 0;
  if (start === 0 || sp === 0) return false;
  const { address } = exception;
  if (address !== null && address !== 0 && address !== pc)
    return address >= start && address < start + WATCHED;
  const isAtEnd = sp - BELOW_POINTER < start + WATCHED && sp > start - LARGEST_FRAME;
  if (isAtEnd) return true;
  const code = memory.read(pc, 4) ?? firmware?.readAt(pc, 4) ?? null;
  if (code && architecture.isBreakInstruction(code)) return false;
  const stackEnd = crashed.stack?.end ?? null;
  return stackHealth({ ...tcb, stackEnd }, sp, memory.read).overflow !== null;
}

/** A pointer that is farther below the stack is not one of this stack. */
const LARGEST_FRAME = 64 * 1024;
