import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';

const KINDS: Readonly<Record<reader.CrashKind, { description: string }>> = {
  ABORT: { description: '`abort()` was called.' },
  ASSERT: { description: 'An assertion failed.' },
  STACK_OVERFLOW: {
    description: 'A task’s stack was too small, whether FreeRTOS or the chip’s stack guard found it.',
  },
  STACK_SMASHED: { description: 'A function wrote beyond a local array (`__stack_chk_fail`).' },
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
  OTHER: { description: 'None of the others, or not known.' },
};

export const CrashKind = builder.enumType('CrashKind', {
  description: 'The kind of a crash, as the reader decides it. Values may be added.',
  values: KINDS,
});

const Register = builder.objectRef<reader.Register>('Register').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.exposeString('value', { description: '`0x…`' }),
    symbol: t.exposeString('symbol', {
      nullable: true,
      description: 'Where the value points: `panic_abort+18`.',
    }),
    meaning: t.exposeString('meaning', {
      nullable: true,
      description: 'The meaning of a known fill pattern.',
    }),
  }),
});

const FrameArgument = builder.objectRef<reader.FrameArgument>('FrameArgument').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.exposeString('value', { description: 'As GDB prints it.' }),
  }),
});

const StackFrame = builder.objectRef<reader.StackFrame>('StackFrame').implement({
  fields: (t) => ({
    index: t.exposeInt('index'),
    pc: t.exposeString('pc', { description: '`0x…`' }),
    function: t.exposeString('function', { nullable: true }),
    file: t.exposeString('file', { nullable: true }),
    line: t.exposeInt('line', { nullable: true }),
    inlined: t.exposeBoolean('inlined'),
    inRom: t.exposeBoolean('inRom', {
      description: 'In the chip’s mask ROM, which the firmware cannot name.',
    }),
    trust: t.exposeString('trust', {
      description:
        'How the frame was found: context, cfi, window, link (the return address register), or scan (a guess from what lies on the stack).',
    }),
    atLineStart: t.exposeBoolean('atLineStart', {
      description: '`pc` is the first address of its line.',
    }),
    arguments: t.field({ type: [FrameArgument], resolve: (frame) => frame.arguments }),
  }),
});

const CrashTask = builder.objectRef<reader.CrashTask>('CrashTask').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    tcb: t.exposeString('tcb', { description: 'Address of the task control block, `0x…`' }),
    crashed: t.exposeBoolean('crashed'),
    priority: t.exposeInt('priority', { nullable: true }),
    basePriority: t.exposeInt('basePriority', { nullable: true }),
    state: t.exposeString('state', { nullable: true }),
    waitingFor: t.exposeString('waitingFor', { nullable: true }),
    stackOverflow: t.exposeString('stackOverflow', {
      nullable: true,
      description: 'Why the stack has probably overflowed.',
    }),
    stackUsed: t.exposeInt('stackUsed', { nullable: true, description: 'Bytes.' }),
    stackFree: t.exposeInt('stackFree', { nullable: true, description: 'Bytes.' }),
    stackNeverUsed: t.exposeInt('stackNeverUsed', {
      nullable: true,
      description: 'Bytes at the far end that were never written.',
    }),
    stackCorrupted: t.exposeBoolean('stackCorrupted', {
      description: 'The device found the stack corrupted and did not dump it: there is no backtrace.',
    }),
    frames: t.field({ type: [StackFrame], resolve: ({ frames }) => frames }),
    backtraceEnd: t.exposeString('backtraceEnd', {
      nullable: true,
      description: 'Why the backtrace ends before the outermost function, in GDB’s words.',
    }),
    interruptedFrames: t.field({
      type: [StackFrame],
      description: 'The frames of the interrupted task, when an interrupt handler crashed.',
      resolve: ({ interruptedFrames }) => interruptedFrames,
    }),
  }),
});

export const CrashReport = builder.objectRef<reader.CrashReport>('CrashReport').implement({
  description: 'The content of the core dump, parsed with the firmware’s ELF.',
  fields: (t) => ({
    kind: t.expose('kind', { type: CrashKind }),
    reason: t.exposeString('reason'),
    chip: t.exposeString('chip'),
    chipRevision: t.exposeInt('chipRevision', {
      nullable: true,
      description: 'Major × 100 + minor: 300 is v3.0.',
    }),
    inInterrupt: t.exposeBoolean('inInterrupt', {
      nullable: true,
      description: 'Whether an interrupt handler crashed; null when the dump does not say.',
    }),
    explanation: t.exposeString('explanation', {
      nullable: true,
      description: 'The reason in plain English, with the place in the firmware’s own code.',
    }),
    fingerprint: t.exposeString('fingerprint', {
      nullable: true,
      description: 'Equal for crashes at the same place, also in different builds.',
    }),
    crashedTask: t.exposeString('crashedTask', { nullable: true }),
    appElfSha256: t.exposeString('appElfSha256', {
      nullable: true,
      description: 'SHA-256 of the ELF that the device ran, or its first digits, as in the dump.',
    }),
    elfMatches: t.exposeBoolean('elfMatches', { description: 'False: names and lines may be wrong.' }),
    format: t.exposeString('format'),
    checksum: t.exposeString('checksum', { description: 'ok, bad or absent.' }),
    warnings: t.exposeStringList('warnings'),
    registers: t.field({ type: [Register], resolve: ({ registers }) => registers }),
    tasks: t.field({ type: [CrashTask], resolve: ({ tasks }) => tasks }),
  }),
});
