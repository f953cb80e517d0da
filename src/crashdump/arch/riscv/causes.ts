import { type Cause, describeCause } from '../architecture.js';

/** RISC-V privileged ISA, table "mcause"; 24 to 27 are interrupt lines for which ESP-IDF panics (soc.h). */
export const RISCV_CAUSES: ReadonlyMap<number, Cause> = new Map([
  [0, describeCause('Instruction address misaligned', 'INVALID_FETCH', true)],
  [1, describeCause('Instruction access fault', 'INVALID_FETCH', true)],
  [2, describeCause('Illegal instruction', 'ILLEGAL_INSTRUCTION')],
  [3, describeCause('Breakpoint', 'BREAKPOINT')],
  [4, describeCause('Load address misaligned', 'INVALID_READ', true)],
  [5, describeCause('Load access fault', 'INVALID_READ', true)],
  [6, describeCause('Store address misaligned', 'INVALID_WRITE', true)],
  [7, describeCause('Store access fault', 'INVALID_WRITE', true)],
  [8, describeCause('Environment call from U-mode', 'OTHER')],
  [9, describeCause('Environment call from S-mode', 'OTHER')],
  [11, describeCause('Environment call from M-mode', 'OTHER')],
  [12, describeCause('Instruction page fault', 'INVALID_FETCH', true)],
  [13, describeCause('Load page fault', 'INVALID_READ', true)],
  [15, describeCause('Store page fault', 'INVALID_WRITE', true)],
  [24, describeCause('Interrupt watchdog timeout on CPU0', 'INTERRUPT_WATCHDOG')],
  [0x1018, describeCause('Interrupt watchdog timeout on CPU1', 'INTERRUPT_WATCHDOG')],
  [25, describeCause('Cache error', 'CACHE_DISABLED')],
  [26, describeCause('Memory protection fault', 'MEMORY_PROTECTION')],
  [27, describeCause('Stack protection fault', 'STACK_OVERFLOW')],
]);
