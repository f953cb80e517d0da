-- Added in place: redefining the tables would write every row anew.
ALTER TABLE "CrashGroup" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'OTHER';
ALTER TABLE "CrashSignature" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'OTHER';

-- What was counted before: by the names that reasons had then.
UPDATE "CrashGroup" SET "kind" = CASE
  WHEN "reasonClass" = 'abort' THEN 'ABORT'
  WHEN "reasonClass" = 'assert failed' THEN 'ASSERT'
  WHEN "reasonClass" IN ('stack overflow', 'Stack protection fault') THEN 'STACK_OVERFLOW'
  WHEN "reasonClass" = 'stack smashed' THEN 'STACK_SMASHED'
  WHEN "reasonClass" = 'task watchdog' THEN 'TASK_WATCHDOG'
  WHEN "reasonClass" = 'interrupt watchdog' OR "reasonClass" LIKE 'InterruptWDT%' THEN 'INTERRUPT_WATCHDOG'
  WHEN "reasonClass" IN ('LoadProhibited', 'Load address misaligned', 'Load access fault', 'Load page fault')
    THEN 'INVALID_READ'
  WHEN "reasonClass" IN ('StoreProhibited', 'Store address misaligned', 'Store access fault', 'Store page fault')
    THEN 'INVALID_WRITE'
  WHEN "reasonClass" LIKE 'LoadStore%' THEN 'INVALID_ACCESS'
  WHEN "reasonClass" LIKE 'Inst%' THEN 'INVALID_FETCH'
  WHEN "reasonClass" IN ('IllegalInstruction', 'Privileged', 'Illegal instruction') THEN 'ILLEGAL_INSTRUCTION'
  WHEN "reasonClass" = 'IntegerDivideByZero' THEN 'DIVIDE_BY_ZERO'
  WHEN "reasonClass" IN ('CacheError', 'Cache error') THEN 'CACHE_DISABLED'
  WHEN "reasonClass" = 'Memory protection fault' THEN 'MEMORY_PROTECTION'
  WHEN "reasonClass" = 'DoubleException' THEN 'DOUBLE_EXCEPTION'
  WHEN "reasonClass" IN ('DebugException', 'Breakpoint') THEN 'BREAKPOINT'
  WHEN "reasonClass" LIKE 'Coprocessor%' THEN 'COPROCESSOR'
  ELSE 'OTHER'
END;

-- What was counted before: by the names that reasons had then.
UPDATE "CrashSignature" SET "kind" = CASE
  WHEN "reasonClass" = 'abort' THEN 'ABORT'
  WHEN "reasonClass" = 'assert failed' THEN 'ASSERT'
  WHEN "reasonClass" IN ('stack overflow', 'Stack protection fault') THEN 'STACK_OVERFLOW'
  WHEN "reasonClass" = 'stack smashed' THEN 'STACK_SMASHED'
  WHEN "reasonClass" = 'task watchdog' THEN 'TASK_WATCHDOG'
  WHEN "reasonClass" = 'interrupt watchdog' OR "reasonClass" LIKE 'InterruptWDT%' THEN 'INTERRUPT_WATCHDOG'
  WHEN "reasonClass" IN ('LoadProhibited', 'Load address misaligned', 'Load access fault', 'Load page fault')
    THEN 'INVALID_READ'
  WHEN "reasonClass" IN ('StoreProhibited', 'Store address misaligned', 'Store access fault', 'Store page fault')
    THEN 'INVALID_WRITE'
  WHEN "reasonClass" LIKE 'LoadStore%' THEN 'INVALID_ACCESS'
  WHEN "reasonClass" LIKE 'Inst%' THEN 'INVALID_FETCH'
  WHEN "reasonClass" IN ('IllegalInstruction', 'Privileged', 'Illegal instruction') THEN 'ILLEGAL_INSTRUCTION'
  WHEN "reasonClass" = 'IntegerDivideByZero' THEN 'DIVIDE_BY_ZERO'
  WHEN "reasonClass" IN ('CacheError', 'Cache error') THEN 'CACHE_DISABLED'
  WHEN "reasonClass" = 'Memory protection fault' THEN 'MEMORY_PROTECTION'
  WHEN "reasonClass" = 'DoubleException' THEN 'DOUBLE_EXCEPTION'
  WHEN "reasonClass" IN ('DebugException', 'Breakpoint') THEN 'BREAKPOINT'
  WHEN "reasonClass" LIKE 'Coprocessor%' THEN 'COPROCESSOR'
  ELSE 'OTHER'
END;
