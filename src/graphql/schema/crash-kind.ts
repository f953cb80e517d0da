import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';

const KINDS: Readonly<Record<reader.CrashKind, { description: string }>> = {
  ABORT: { description: '`abort()` was called.' },
  ASSERT: { description: 'An assertion failed.' },
  STACK_OVERFLOW: {
    description: 'A task’s stack was too small, whether FreeRTOS or the chip’s stack guard found it.',
  },
  STACK_SMASHED: { description: 'A function wrote beyond a local array (`__stack_chk_fail`).' },
  HEAP_CORRUPTION: {
    description:
      'The heap found its data damaged, or a pointer that is not its own was freed. The cause is mostly earlier.',
  },
  OUT_OF_MEMORY: { description: 'Memory could not be allocated (`Mem alloc fail`, `std::bad_alloc`).' },
  TASK_RETURNED: { description: 'The function of a task returned instead of deleting its task.' },
  UNDEFINED_BEHAVIOR: { description: 'UBSan found undefined behavior.' },
  TASK_WATCHDOG: { description: 'A task kept the processor too long.' },
  INTERRUPT_WATCHDOG: { description: 'Interrupts were not served for too long.' },
  INVALID_READ: {
    description: 'Memory was read that cannot be read: `LoadProhibited`, `Load access fault`.',
  },
  INVALID_WRITE: {
    description: 'Memory was written that cannot be written: `StoreProhibited`, `Store access fault`.',
  },
  INVALID_ACCESS: {
    description: 'Memory was accessed in a way that it does not allow, for example by a misaligned address.',
  },
  INVALID_FETCH: { description: 'A jump to where no code is: `InstrFetchProhibited`.' },
  ILLEGAL_INSTRUCTION: {
    description: 'Bytes that are no instruction, or an instruction that is not allowed.',
  },
  DIVIDE_BY_ZERO: { description: 'An integer was divided by zero.' },
  CACHE_DISABLED: { description: 'Flash or PSRAM was used while the cache was off.' },
  MEMORY_PROTECTION: { description: 'Memory protection stopped a write to code or a jump into data.' },
  DOUBLE_EXCEPTION: { description: 'An exception within the handler of another one.' },
  BREAKPOINT: { description: 'A breakpoint or watchpoint was hit without a debugger.' },
  COPROCESSOR: {
    description: 'A coprocessor, such as the floating-point unit, was used where it is not allowed.',
  },
  BROWNOUT: { description: 'The supply voltage fell too low.' },
  OTHER: { description: 'None of the others, or not known.' },
};

export const CrashKind = builder.enumType('CrashKind', {
  description: 'The kind of a crash, as the reader decides it. Values may be added.',
  values: KINDS,
});
