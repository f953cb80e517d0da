import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';
import type { LinkedFrame } from './source-urls.js';

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
    PRINTED: {
      value: 'printed',
      description: 'By the device itself: its panic text or summary has the address.',
    },
    SCAN: { value: 'scan', description: 'A guess from what lies on the stack.' },
  } as const,
});

const FrameArgument = builder.objectRef<reader.FrameArgument>('FrameArgument').implement({
  description: 'An argument of a function. Viewers see `…` in place of values.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As in the source.' }),
    value: t.exposeString('value', { description: "As GDB prints it: `97 'a'`, `<optimized out>`." }),
  }),
});

export const StackFrame = builder.objectRef<LinkedFrame>('StackFrame').implement({
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
    sourceUrl: t.string({
      nullable: true,
      description:
        'Address of the line in the team’s repository, by `links.sourceUrl` of the model and `revision` of the build. Only ' +
        'of own code; null without a template, a line, or a revision that the template needs, and for files outside of the ' +
        'repository.',
      resolve: ({ sourceUrl }) => sourceUrl ?? null,
    }),
    inlined: t.exposeBoolean('inlined', {
      description: 'The compiler put this function into that of the next frame.',
    }),
    inRom: t.exposeBoolean('inRom', {
      description: 'In the chip’s mask ROM, which the firmware cannot name.',
    }),
    isOwnCode: t.boolean({
      description:
        'Whether it is of the team’s own code: by the rules of the model (`DeviceModel.ownCodeRules`), else unless it has no ' +
        'name, is in ROM or of ESP-IDF’s, FreeRTOS’ or a library’s system functions.',
      resolve: ({ isOwnCode }) => isOwnCode === true,
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
