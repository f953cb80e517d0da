import type { CrashKind } from '../../generated/graphql';

/** What people call the kinds of crash. A kind that a newer server knows is not offered here, and is listed all the same. */
export const CRASH_KINDS: Readonly<Record<CrashKind, string>> = {
  ABORT: 'abort()',
  ASSERT: 'Assertion',
  STACK_OVERFLOW: 'Stack overflow',
  STACK_SMASHED: 'Stack smashed',
  TASK_WATCHDOG: 'Task watchdog',
  INTERRUPT_WATCHDOG: 'Interrupt watchdog',
  INVALID_READ: 'Invalid read',
  INVALID_WRITE: 'Invalid write',
  INVALID_ACCESS: 'Invalid access',
  INVALID_FETCH: 'Jump to no code',
  ILLEGAL_INSTRUCTION: 'Illegal instruction',
  DIVIDE_BY_ZERO: 'Division by zero',
  CACHE_DISABLED: 'Cache disabled',
  MEMORY_PROTECTION: 'Memory protection',
  DOUBLE_EXCEPTION: 'Double exception',
  BREAKPOINT: 'Breakpoint',
  COPROCESSOR: 'Coprocessor',
  OTHER: 'Other',
};

export function isCrashKind(value: string): value is CrashKind {
  return Object.hasOwn(CRASH_KINDS, value);
}
