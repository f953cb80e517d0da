import type * as reader from '../crashdump/report.js';
import { builder } from './builder.js';

const Register = builder.objectRef<reader.Register>('Register').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.exposeString('value', { description: '`0x…`' }),
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
    trust: t.exposeString('trust', {
      description:
        'How the frame was found: context, cfi, window, or scan (a guess from what lies on the stack).',
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
    state: t.exposeString('state', { nullable: true }),
    stackUsed: t.exposeInt('stackUsed', { nullable: true, description: 'Bytes.' }),
    stackFree: t.exposeInt('stackFree', { nullable: true, description: 'Bytes.' }),
    frames: t.field({ type: [StackFrame], resolve: ({ frames }) => frames }),
  }),
});

export const CrashReport = builder.objectRef<reader.CrashReport>('CrashReport').implement({
  description: 'What the core dump says, read with the firmware’s ELF.',
  fields: (t) => ({
    reason: t.exposeString('reason'),
    chip: t.exposeString('chip'),
    crashedTask: t.exposeString('crashedTask', { nullable: true }),
    appElfSha256: t.exposeString('appElfSha256', {
      nullable: true,
      description: 'Of the ELF that the device ran, or its leading digits, as the dump has it.',
    }),
    elfMatches: t.exposeBoolean('elfMatches', { description: 'False: names and lines may be wrong.' }),
    format: t.exposeString('format'),
    checksum: t.exposeString('checksum', { description: 'ok, bad or absent.' }),
    warnings: t.exposeStringList('warnings'),
    registers: t.field({ type: [Register], resolve: ({ registers }) => registers }),
    tasks: t.field({ type: [CrashTask], resolve: ({ tasks }) => tasks }),
  }),
});
