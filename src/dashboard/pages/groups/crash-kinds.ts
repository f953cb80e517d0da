import type { CrashKind } from '../../generated/graphql';

/** Names of the kinds of crashes. Kinds of a newer server are listed in tables, but not offered as a filter. */
export const CRASH_KINDS: Readonly<Record<CrashKind, string>> = {
  ABORT: 'abort()',
  ASSERT: 'Assertion',
  STACK_OVERFLOW: 'Stack overflow',
  STACK_SMASHED: 'Stack smashed',
  HEAP_CORRUPTION: 'Heap corruption',
  OUT_OF_MEMORY: 'Out of memory',
  TASK_RETURNED: 'Task returned',
  UNDEFINED_BEHAVIOR: 'Undefined behavior',
  TASK_WATCHDOG: 'Task watchdog',
  INTERRUPT_WATCHDOG: 'Interrupt watchdog',
  INVALID_READ: 'Invalid read',
  INVALID_WRITE: 'Invalid write',
  INVALID_ACCESS: 'Invalid access',
  INVALID_FETCH: 'Jump to invalid address',
  ILLEGAL_INSTRUCTION: 'Illegal instruction',
  DIVIDE_BY_ZERO: 'Division by zero',
  CACHE_DISABLED: 'Cache disabled',
  MEMORY_PROTECTION: 'Memory protection',
  DOUBLE_EXCEPTION: 'Double exception',
  BREAKPOINT: 'Breakpoint',
  COPROCESSOR: 'Coprocessor',
  BROWNOUT: 'Brownout',
  OTHER: 'Other',
};

export function isCrashKind(value: string): value is CrashKind {
  return Object.hasOwn(CRASH_KINDS, value);
}
