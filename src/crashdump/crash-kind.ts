/**
 * The kind of a crash. The reader decides it once; title, group, explanation and filters depend on it. Members may be
 * added.
 */
export const CRASH_KINDS = [
  'ABORT',
  'ASSERT',
  'STACK_OVERFLOW',
  'STACK_SMASHED',
  'HEAP_CORRUPTION',
  'OUT_OF_MEMORY',
  'TASK_RETURNED',
  'UNDEFINED_BEHAVIOR',
  'TASK_WATCHDOG',
  'INTERRUPT_WATCHDOG',
  'INVALID_READ',
  'INVALID_WRITE',
  'INVALID_ACCESS',
  'INVALID_FETCH',
  'ILLEGAL_INSTRUCTION',
  'DIVIDE_BY_ZERO',
  'CACHE_DISABLED',
  'MEMORY_PROTECTION',
  'DOUBLE_EXCEPTION',
  'BREAKPOINT',
  'COPROCESSOR',
  'BROWNOUT',
  'OTHER',
] as const;

export type CrashKind = (typeof CRASH_KINDS)[number];
