import type { CrashKind } from '../crash-kind.js';

export interface Cause {
  name: string;
  kind: CrashKind;
  /** The exception registers hold the address that was touched. */
  hasAddress: boolean;
}

/**
 * Xtensa ISA §4.4.1.5, table "Exception Causes"; from 64 on the pseudo causes of ESP-IDF's panic handler
 * (`XCHAL_EXCCAUSE_NUM` + panic reason). Names as the peer prints them.
 */
const XTENSA_CAUSES: ReadonlyMap<number, Cause> = new Map([
  [0, cause('IllegalInstructionCause', 'ILLEGAL_INSTRUCTION')],
  [1, cause('SyscallCause', 'OTHER')],
  [2, cause('InstructionFetchErrorCause', 'INVALID_FETCH', true)],
  [3, cause('LoadStoreErrorCause', 'INVALID_ACCESS', true)],
  [4, cause('Level1InterruptCause', 'OTHER')],
  [5, cause('AllocaCause', 'OTHER')],
  [6, cause('IntegerDivideByZeroCause', 'DIVIDE_BY_ZERO')],
  [8, cause('PrivilegedCause', 'ILLEGAL_INSTRUCTION')],
  [9, cause('LoadStoreAlignmentCause', 'INVALID_ACCESS', true)],
  [12, cause('InstrPIFDataErrorCause', 'INVALID_FETCH', true)],
  [13, cause('LoadStorePIFDataErrorCause', 'INVALID_ACCESS', true)],
  [14, cause('InstrPIFAddrErrorCause', 'INVALID_FETCH', true)],
  [15, cause('LoadStorePIFAddrErrorCause', 'INVALID_ACCESS', true)],
  [16, cause('InstTLBMissCause', 'INVALID_FETCH', true)],
  [17, cause('InstTLBMultiHitCause', 'INVALID_FETCH', true)],
  [18, cause('InstFetchPrivilegeCause', 'INVALID_FETCH', true)],
  [20, cause('InstFetchProhibitedCause', 'INVALID_FETCH', true)],
  [24, cause('LoadStoreTLBMissCause', 'INVALID_ACCESS', true)],
  [25, cause('LoadStoreTLBMultiHitCause', 'INVALID_ACCESS', true)],
  [26, cause('LoadStorePrivilegeCause', 'INVALID_ACCESS', true)],
  [28, cause('LoadProhibitedCause', 'INVALID_READ', true)],
  [29, cause('StoreProhibitedCause', 'INVALID_WRITE', true)],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n): [number, Cause] => [
    32 + n,
    cause(`Coprocessor${n}Disabled`, 'COPROCESSOR'),
  ]),
  [64, cause('UnknownException', 'OTHER')],
  [65, cause('DebugException', 'BREAKPOINT')],
  [66, cause('DoubleException', 'DOUBLE_EXCEPTION')],
  [67, cause('KernelException', 'OTHER')],
  [68, cause('CoprocessorException', 'COPROCESSOR')],
  [69, cause('InterruptWDTTimoutCPU0', 'INTERRUPT_WATCHDOG')],
  [70, cause('InterruptWDTTimoutCPU1', 'INTERRUPT_WATCHDOG')],
  [71, cause('CacheError', 'CACHE_DISABLED')],
  [0xffff, cause('InvalidCauseRegister', 'OTHER')],
]);

/** RISC-V privileged ISA, table "mcause"; 24 to 27 are interrupt lines that ESP-IDF turns into panics (soc.h). */
const RISCV_CAUSES: ReadonlyMap<number, Cause> = new Map([
  [0, cause('Instruction address misaligned', 'INVALID_FETCH', true)],
  [1, cause('Instruction access fault', 'INVALID_FETCH', true)],
  [2, cause('Illegal instruction', 'ILLEGAL_INSTRUCTION')],
  [3, cause('Breakpoint', 'BREAKPOINT')],
  [4, cause('Load address misaligned', 'INVALID_READ', true)],
  [5, cause('Load access fault', 'INVALID_READ', true)],
  [6, cause('Store address misaligned', 'INVALID_WRITE', true)],
  [7, cause('Store access fault', 'INVALID_WRITE', true)],
  [8, cause('Environment call from U-mode', 'OTHER')],
  [9, cause('Environment call from S-mode', 'OTHER')],
  [11, cause('Environment call from M-mode', 'OTHER')],
  [12, cause('Instruction page fault', 'INVALID_FETCH', true)],
  [13, cause('Load page fault', 'INVALID_READ', true)],
  [15, cause('Store page fault', 'INVALID_WRITE', true)],
  [24, cause('Interrupt watchdog timeout on CPU0', 'INTERRUPT_WATCHDOG')],
  [0x1018, cause('Interrupt watchdog timeout on CPU1', 'INTERRUPT_WATCHDOG')],
  [25, cause('Cache error', 'CACHE_DISABLED')],
  [26, cause('Memory protection fault', 'MEMORY_PROTECTION', true)],
  [27, cause('Stack protection fault', 'STACK_OVERFLOW')],
]);

export function xtensaCause(exccause: number): Cause {
  return XTENSA_CAUSES.get(exccause) ?? cause('Invalid EXCCAUSE code', 'OTHER');
}

export function riscvCause(mcause: number): Cause {
  return RISCV_CAUSES.get(mcause) ?? cause(`Exception 0x${mcause.toString(16)}`, 'OTHER');
}

/** As reasons begin with it; null when neither architecture knows such a cause. */
export function causeNamed(name: string): Cause | null {
  const all = [...XTENSA_CAUSES.values(), ...RISCV_CAUSES.values()];
  return all.find((candidate) => shortName(candidate) === name) ?? null;
}

/** "LoadProhibited" for the table's LoadProhibitedCause. */
export function shortName({ name }: Cause): string {
  return name.replace(/Cause$/, '');
}

function cause(name: string, kind: CrashKind, hasAddress = false): Cause {
  return { name, kind, hasAddress };
}
