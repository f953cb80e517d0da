import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';
import { CrashKind } from './crash-kind.js';
import { ReportWarning } from './report-warning.js';

const FrameTrust = builder.enumType('FrameTrust', {
  description: 'How a frame was found, the most reliable first. Values may be added.',
  values: {
    CONTEXT: { value: 'context', description: 'From the saved registers: the innermost frame.' },
    CFI: { value: 'cfi', description: 'By the call frame information in the ELF.' },
    WINDOW: { value: 'window', description: 'From the register windows that Xtensa saves on the stack.' },
    PROLOGUE: {
      value: 'prologue',
      description: 'From the instructions of a called function that has no call frame information.',
    },
    LINK: {
      value: 'link',
      description: 'From the return address register, where a called function has no call frame information.',
    },
    SCAN: { value: 'scan', description: 'A guess from what lies on the stack.' },
  } as const,
});

const DumpChecksum = builder.enumType('DumpChecksum', {
  description: 'Whether the dump arrived as the device wrote it. Values may be added.',
  values: {
    OK: { value: 'ok', description: 'The checksum in the dump is right.' },
    BAD: { value: 'bad', description: 'It is wrong: parts of the dump may be damaged.' },
    ABSENT: { value: 'absent', description: 'The dump has none.' },
  } as const,
});

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

const Register = builder.objectRef<reader.Register>('Register').implement({
  description: 'A register of the crashed task.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As the architecture names it: `pc`, `a0`, `mcause`.' }),
    value: t.exposeString('value', { description: 'Hexadecimal, eight digits: `0x42009351`.' }),
    symbol: t.exposeString('symbol', {
      nullable: true,
      description: 'Where the value points: `panic_abort+18`. Null where the firmware has nothing there.',
    }),
    meaning: t.exposeString('meaning', {
      nullable: true,
      description: 'What a known fill pattern says: “heap memory that was freed”. Null for other values.',
    }),
  }),
});

const FrameArgument = builder.objectRef<reader.FrameArgument>('FrameArgument').implement({
  description: 'An argument of a function. Viewers see `…` in place of values.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As in the source.' }),
    value: t.exposeString('value', { description: "As GDB prints it: `97 'a'`, `<optimized out>`." }),
  }),
});

const StackFrame = builder.objectRef<reader.StackFrame>('StackFrame').implement({
  description: 'One function call of a backtrace.',
  fields: (t) => ({
    index: t.exposeInt('index', { description: '0 is the innermost frame, as in GDB.' }),
    pc: t.exposeString('pc', {
      description:
        'Address `0x…`: of the innermost frame where it stopped, of callers where the call returns to.',
    }),
    function: t.exposeString('function', { nullable: true, description: 'Null where the ELF names none.' }),
    file: t.exposeString('file', {
      nullable: true,
      description: 'Path of the source as the compiler saw it. Null without debug information.',
    }),
    line: t.exposeInt('line', { nullable: true, description: 'Line in `file`, from 1.' }),
    inlined: t.exposeBoolean('inlined', {
      description: 'The compiler put this function into that of the next frame.',
    }),
    inRom: t.exposeBoolean('inRom', {
      description: 'In the chip’s mask ROM, which the firmware cannot name.',
    }),
    trust: t.expose('trust', { type: FrameTrust, description: 'How the frame was found.' }),
    atLineStart: t.exposeBoolean('atLineStart', {
      description: '`pc` is the first address of its line.',
    }),
    arguments: t.field({
      type: [FrameArgument],
      description: 'In the order of the source.',
      resolve: (frame) => frame.arguments,
    }),
  }),
});

const CrashTask = builder.objectRef<reader.CrashTask>('CrashTask').implement({
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
    frames: t.field({
      type: [StackFrame],
      description: 'The backtrace, innermost first.',
      resolve: ({ frames }) => frames,
    }),
    backtraceEnd: t.exposeString('backtraceEnd', {
      nullable: true,
      description: 'Why the backtrace ends before the outermost function, and what is missing; null when it was reached.',
    }),
    interruptedFrames: t.field({
      type: [StackFrame],
      description: 'The frames of the interrupted task, when an interrupt handler crashed.',
      resolve: ({ interruptedFrames }) => interruptedFrames,
    }),
  }),
});

export const CrashReport = builder.objectRef<reader.CrashReport>('CrashReport').implement({
  description:
    'The content of the core dump, parsed with the firmware’s ELF. docs/crash-report.md explains each field.',
  fields: (t) => ({
    kind: t.expose('kind', { type: CrashKind, description: 'The kind of the crash.' }),
    reason: t.exposeString('reason', {
      description: 'One line, as the device says it: “LoadProhibited at 0x00000010”.',
    }),
    chip: t.exposeString('chip', {
      description: 'The chip that the dump names: `esp32s3`; else as reported.',
    }),
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
      description: 'Equal for crashes at the same place, also in different builds: `v1:` and 16 digits.',
    }),
    crashedTask: t.exposeString('crashedTask', {
      nullable: true,
      description: 'Name of the task that crashed.',
    }),
    appElfSha256: t.exposeString('appElfSha256', {
      nullable: true,
      description: 'SHA-256 of the ELF that the device ran, or its first digits, as in the dump.',
    }),
    elfMatches: t.exposeBoolean('elfMatches', { description: 'False: names and lines may be wrong.' }),
    format: t.exposeString('format', { description: 'Format of the dump: `ELF SHA256 v2.1`, `BIN v1`.' }),
    checksum: t.expose('checksum', { type: DumpChecksum, description: 'Whether the dump is undamaged.' }),
    warnings: t.field({
      type: [ReportWarning],
      description: 'What the reader doubts or could not read.',
      resolve: ({ warnings }) => warnings,
    }),
    registers: t.field({
      type: [Register],
      description: 'Of the crashed task, in the order of the architecture.',
      resolve: ({ registers }) => registers,
    }),
    tasks: t.field({
      type: [CrashTask],
      description: 'The crashed task first.',
      resolve: ({ tasks }) => tasks,
    }),
  }),
});

/** A sidecar of somebody else may answer other words. */
function taskState(stored: string): keyof typeof TASK_STATES {
  const states = Object.keys(TASK_STATES) as Array<keyof typeof TASK_STATES>;
  return states.find((state) => state.toLowerCase() === stored) ?? 'OTHER';
}
