/** What went wrong, as far as an explanation in words differs. */
export type PanicKind =
  | 'abort'
  | 'assert'
  | 'stackOverflow'
  | 'stackSmashed'
  | 'taskWatchdog'
  | 'interruptWatchdog'
  | 'read'
  | 'write'
  | 'access'
  | 'fetch'
  | 'illegalInstruction'
  | 'divideByZero'
  | 'cacheDisabled'
  | 'memoryProtection'
  | 'doubleException'
  | 'breakpoint'
  | 'coprocessor'
  | 'other';

export interface Cause {
  name: string;
  kind: PanicKind;
  /** The exception registers hold the address that was touched. */
  hasAddress: boolean;
}

/**
 * Xtensa ISA §4.4.1.5, table "Exception Causes"; from 64 on the pseudo causes of ESP-IDF's panic handler
 * (`XCHAL_EXCCAUSE_NUM` + panic reason). Names as the peer prints them.
 */
const XTENSA_CAUSES: ReadonlyMap<number, Cause> = new Map([
  [0, cause('IllegalInstructionCause', 'illegalInstruction')],
  [1, cause('SyscallCause', 'other')],
  [2, cause('InstructionFetchErrorCause', 'fetch', true)],
  [3, cause('LoadStoreErrorCause', 'access', true)],
  [4, cause('Level1InterruptCause', 'other')],
  [5, cause('AllocaCause', 'other')],
  [6, cause('IntegerDivideByZeroCause', 'divideByZero')],
  [8, cause('PrivilegedCause', 'illegalInstruction')],
  [9, cause('LoadStoreAlignmentCause', 'access', true)],
  [12, cause('InstrPIFDataErrorCause', 'fetch', true)],
  [13, cause('LoadStorePIFDataErrorCause', 'access', true)],
  [14, cause('InstrPIFAddrErrorCause', 'fetch', true)],
  [15, cause('LoadStorePIFAddrErrorCause', 'access', true)],
  [16, cause('InstTLBMissCause', 'fetch', true)],
  [17, cause('InstTLBMultiHitCause', 'fetch', true)],
  [18, cause('InstFetchPrivilegeCause', 'fetch', true)],
  [20, cause('InstFetchProhibitedCause', 'fetch', true)],
  [24, cause('LoadStoreTLBMissCause', 'access', true)],
  [25, cause('LoadStoreTLBMultiHitCause', 'access', true)],
  [26, cause('LoadStorePrivilegeCause', 'access', true)],
  [28, cause('LoadProhibitedCause', 'read', true)],
  [29, cause('StoreProhibitedCause', 'write', true)],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n): [number, Cause] => [
    32 + n,
    cause(`Coprocessor${n}Disabled`, 'coprocessor'),
  ]),
  [64, cause('UnknownException', 'other')],
  [65, cause('DebugException', 'breakpoint')],
  [66, cause('DoubleException', 'doubleException')],
  [67, cause('KernelException', 'other')],
  [68, cause('CoprocessorException', 'coprocessor')],
  [69, cause('InterruptWDTTimoutCPU0', 'interruptWatchdog')],
  [70, cause('InterruptWDTTimoutCPU1', 'interruptWatchdog')],
  [71, cause('CacheError', 'cacheDisabled')],
  [0xffff, cause('InvalidCauseRegister', 'other')],
]);

/** RISC-V privileged ISA, table "mcause"; 24 to 27 are interrupt lines that ESP-IDF turns into panics (soc.h). */
const RISCV_CAUSES: ReadonlyMap<number, Cause> = new Map([
  [0, cause('Instruction address misaligned', 'fetch', true)],
  [1, cause('Instruction access fault', 'fetch', true)],
  [2, cause('Illegal instruction', 'illegalInstruction')],
  [3, cause('Breakpoint', 'breakpoint')],
  [4, cause('Load address misaligned', 'read', true)],
  [5, cause('Load access fault', 'read', true)],
  [6, cause('Store address misaligned', 'write', true)],
  [7, cause('Store access fault', 'write', true)],
  [8, cause('Environment call from U-mode', 'other')],
  [9, cause('Environment call from S-mode', 'other')],
  [11, cause('Environment call from M-mode', 'other')],
  [12, cause('Instruction page fault', 'fetch', true)],
  [13, cause('Load page fault', 'read', true)],
  [15, cause('Store page fault', 'write', true)],
  [24, cause('Interrupt watchdog timeout on CPU0', 'interruptWatchdog')],
  [0x1018, cause('Interrupt watchdog timeout on CPU1', 'interruptWatchdog')],
  [25, cause('Cache error', 'cacheDisabled')],
  [26, cause('Memory protection fault', 'memoryProtection', true)],
  [27, cause('Stack protection fault', 'stackOverflow')],
]);

export function xtensaCause(exccause: number): Cause {
  return XTENSA_CAUSES.get(exccause) ?? cause('Invalid EXCCAUSE code', 'other');
}

export function riscvCause(mcause: number): Cause {
  return RISCV_CAUSES.get(mcause) ?? cause(`Exception 0x${mcause.toString(16)}`, 'other');
}

function cause(name: string, kind: PanicKind, hasAddress = false): Cause {
  return { name, kind, hasAddress };
}
