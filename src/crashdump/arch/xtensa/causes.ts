import { type Cause, describeCause } from '../architecture.js';

/**
 * Xtensa ISA §4.4.1.5, table "Exception Causes"; from 64 on the pseudo causes of ESP-IDF's panic handler
 * (`XCHAL_EXCCAUSE_NUM` + panic reason). Names as the peer prints them.
 */
export const XTENSA_CAUSES: ReadonlyMap<number, Cause> = new Map([
  [0, describeCause('IllegalInstructionCause', 'ILLEGAL_INSTRUCTION')],
  [1, describeCause('SyscallCause', 'OTHER')],
  [2, describeCause('InstructionFetchErrorCause', 'INVALID_FETCH', true)],
  [3, describeCause('LoadStoreErrorCause', 'INVALID_ACCESS', true)],
  [4, describeCause('Level1InterruptCause', 'OTHER')],
  [5, describeCause('AllocaCause', 'OTHER')],
  [6, describeCause('IntegerDivideByZeroCause', 'DIVIDE_BY_ZERO')],
  [8, describeCause('PrivilegedCause', 'ILLEGAL_INSTRUCTION')],
  [9, describeCause('LoadStoreAlignmentCause', 'INVALID_ACCESS', true)],
  [12, describeCause('InstrPIFDataErrorCause', 'INVALID_FETCH', true)],
  [13, describeCause('LoadStorePIFDataErrorCause', 'INVALID_ACCESS', true)],
  [14, describeCause('InstrPIFAddrErrorCause', 'INVALID_FETCH', true)],
  [15, describeCause('LoadStorePIFAddrErrorCause', 'INVALID_ACCESS', true)],
  [16, describeCause('InstTLBMissCause', 'INVALID_FETCH', true)],
  [17, describeCause('InstTLBMultiHitCause', 'INVALID_FETCH', true)],
  [18, describeCause('InstFetchPrivilegeCause', 'INVALID_FETCH', true)],
  [20, describeCause('InstFetchProhibitedCause', 'INVALID_FETCH', true)],
  [24, describeCause('LoadStoreTLBMissCause', 'INVALID_ACCESS', true)],
  [25, describeCause('LoadStoreTLBMultiHitCause', 'INVALID_ACCESS', true)],
  [26, describeCause('LoadStorePrivilegeCause', 'INVALID_ACCESS', true)],
  [28, describeCause('LoadProhibitedCause', 'INVALID_READ', true)],
  [29, describeCause('StoreProhibitedCause', 'INVALID_WRITE', true)],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((n): [number, Cause] => [
    32 + n,
    describeCause(`Coprocessor${n}Disabled`, 'COPROCESSOR'),
  ]),
  [64, describeCause('UnknownException', 'OTHER')],
  [65, describeCause('DebugException', 'BREAKPOINT')],
  [66, describeCause('DoubleException', 'DOUBLE_EXCEPTION')],
  [67, describeCause('KernelException', 'OTHER')],
  [68, describeCause('CoprocessorException', 'COPROCESSOR')],
  [69, describeCause('InterruptWDTTimoutCPU0', 'INTERRUPT_WATCHDOG')],
  [70, describeCause('InterruptWDTTimoutCPU1', 'INTERRUPT_WATCHDOG')],
  [71, describeCause('CacheError', 'CACHE_DISABLED')],
  [0xffff, describeCause('InvalidCauseRegister', 'OTHER')],
]);

/** The peer's name for an unknown cause. */
export function unknownXtensaCause(): Cause {
  return describeCause('Invalid EXCCAUSE code', 'OTHER');
}
