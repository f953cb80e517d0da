import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';
import { Register } from './register.js';
import { StackFrame } from './stack-frame.js';

const TASK_STATES = {
  RUNNING: { description: 'It had the processor.' },
  READY: { description: 'It could run, but another task had the processor.' },
  DELAYED: { description: 'It waited for a time.' },
  BLOCKED: { description: 'It waited for something: `waitingFor` says for what.' },
  SUSPENDED: { description: 'It was suspended, or waited without a time limit.' },
  DELETED: { description: 'It was deleted, but its memory was not freed yet.' },
  OTHER: { description: 'Another state, from a parse sidecar that knows more.' },
} as const;

const TaskState = builder.enumType('TaskState', {
  description: 'State of a FreeRTOS task when the dump was written. Values may be added.',
  values: TASK_STATES,
});

export const CrashTask = builder.objectRef<reader.CrashTask>('CrashTask').implement({
  description: 'A FreeRTOS task at the time of the crash.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description: 'As the firmware named it, at most 16 characters by default.',
    }),
    tcb: t.exposeString('tcb', { description: 'Address of the task control block, `0x…`.' }),
    crashed: t.exposeBoolean('crashed', { description: 'Whether it is the task that crashed.' }),
    priority: t.exposeInt('priority', {
      nullable: true,
      description: 'The current priority, perhaps inherited from a mutex. Null when the dump does not say.',
    }),
    basePriority: t.exposeInt('basePriority', { nullable: true, description: 'The priority of its own.' }),
    state: t.field({
      type: TaskState,
      nullable: true,
      description: 'Null when dump and ELF do not say.',
      resolve: ({ state }) => (state === null ? null : taskState(state)),
    }),
    waitingFor: t.exposeString('waitingFor', {
      nullable: true,
      description:
        '“an item in queue 0x3ffaff74”, “a notification”, “tick 5120”. Null when it does not wait.',
    }),
    stackOverflow: t.exposeString('stackOverflow', {
      nullable: true,
      description: 'Why the stack has probably overflowed. Null without a sign of it.',
    }),
    stackUsed: t.exposeInt('stackUsed', {
      nullable: true,
      description: 'Bytes, at the last task switch. Null when the stack is not known.',
    }),
    stackFree: t.exposeInt('stackFree', { nullable: true, description: 'Bytes, at the last task switch.' }),
    stackNeverUsed: t.exposeInt('stackNeverUsed', {
      nullable: true,
      description:
        'Bytes at the far end that were never written. Null when the dump does not hold that part.',
    }),
    stackCorrupted: t.exposeBoolean('stackCorrupted', {
      description: 'The device found the stack corrupted and did not dump it: there is no backtrace.',
    }),
    core: t.exposeInt('core', {
      nullable: true,
      description: 'The core on which it ran: 0 or 1. Null when it did not run, or when that is not known.',
    }),
    coreAffinity: t.exposeInt('coreAffinity', {
      nullable: true,
      description: 'The core that it is pinned to. Null when it may run on any, or when that is not known.',
    }),
    registers: t.field({
      type: [Register],
      description:
        'As saved at its last switch, or at the crash. On Xtensa only six of a task that yielded. Empty when its stack is corrupted.',
      resolve: ({ registers }) => registers,
    }),
    frames: t.field({
      type: [StackFrame],
      description: 'The backtrace, innermost first.',
      resolve: ({ frames }) => frames,
    }),
    backtraceEnd: t.exposeString('backtraceEnd', {
      nullable: true,
      description:
        'Why the backtrace ends before the outermost function, and what is missing; null when it was reached.',
    }),
    interruptedFrames: t.field({
      type: [StackFrame],
      description: 'The frames of the interrupted task, when an interrupt handler crashed.',
      resolve: ({ interruptedFrames }) => interruptedFrames,
    }),
  }),
});

/** A sidecar of somebody else may answer other words. */
function taskState(stored: string): keyof typeof TASK_STATES {
  const states = Object.keys(TASK_STATES) as Array<keyof typeof TASK_STATES>;
  return states.find((state) => state.toLowerCase() === stored) ?? 'OTHER';
}
