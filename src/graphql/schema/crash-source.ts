import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';

const SOURCES = {
  CORE_DUMP: {
    value: 'core_dump',
    description: 'A core dump: registers, tasks and memory.',
  },
  PANIC_TEXT: {
    value: 'panic_text',
    description:
      'What the device printed when it crashed: the reason, mostly registers, and a backtrace or a part of a stack.',
  },
  SUMMARY: {
    value: 'summary',
    description: 'What firmware without a core dump partition sends: the reason and up to some addresses.',
  },
} as const satisfies Record<string, { value: reader.CrashSource; description: string }>;

export const CrashSource = builder.enumType('CrashSource', {
  description: 'What a crash was read from. Values may be added.',
  values: SOURCES,
});
