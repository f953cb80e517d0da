import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';

const CODES: Readonly<Record<reader.WarningCode, { description: string }>> = {
  TEXT_WITH_DUMP: { description: 'Something else stood around the dump and was left out.' },
  DUMP_CUT: { description: 'The dump’s end is missing.' },
  DUMP_DAMAGED: { description: 'The checksum is wrong.' },
  DUMP_HAS_GAPS: { description: 'Bytes in the middle were lost on the way; the rest keeps its place.' },
  SEVERAL_DUMPS: { description: 'The upload held more than one dump; one was read.' },
  DUMP_UNREADABLE: {
    description: 'The core dump in a log cannot be read, so the panic text beside it was.',
  },
  SEVERAL_CRASHES: { description: 'The text held more than one crash; one was read.' },
  TEXT_CUT: { description: 'Parts of the text are missing or damaged; what is whole was read.' },
  BACKTRACE_CORRUPTED: {
    description: 'The device found its stack broken and marked the end of the printed backtrace.',
  },
  NO_CRASH: { description: 'The text only looks like a crash: the device ran on.' },
  UNKNOWN_VERSION: { description: 'The version of the dump’s format is not known.' },
  VERSIONS_DIFFER: { description: 'Two places of the dump name different versions.' },
  UNKNOWN_CHIP: { description: 'The dump names a chip that is not known.' },
  CHIPS_DIFFER: { description: 'Dump, registers and sender do not agree about the chip.' },
  SEGMENT_LEFT_OUT: { description: 'A part of the memory has an impossible address.' },
  SEGMENTS_OVERLAP: { description: 'Parts of the memory overlap and differ.' },
  NOTE_LEFT_OUT: { description: 'A note of the dump is too short or doubled.' },
  LIMIT_REACHED: { description: 'The dump has more than the reader reads.' },
  CRASHED_TASK_UNKNOWN: { description: 'The task that the dump names as crashed is not in it.' },
  TASK_BROKEN: { description: 'The device found a task’s data broken.' },
  STACK_OVERFLOW: { description: 'A task has probably overflowed its stack.' },
  NO_FIRMWARE: { description: 'There is no ELF: names are missing.' },
  FIRMWARE_DIFFERS: {
    description: 'The ELF is not that of the crashed build. It is used only if it has the same code.',
  },
  FIRMWARE_DOES_NOT_FIT: {
    description: 'The dump does not name its build, and the ELF has other code. It was not used.',
  },
  FIRMWARE_UNPROVEN: {
    description:
      'The dump does not name its build. The ELF was used, though little or not all of the crashed task could be compared.',
  },
  FIRMWARE_FOR_OTHER_CHIP: { description: 'The ELF is for another chip and was not used.' },
  FIRMWARE_UNREADABLE: { description: 'The ELF could not be read.' },
  FIRMWARE_INCOMPLETE: { description: 'Parts of the ELF are damaged.' },
  FIRMWARE_STRIPPED: { description: 'The ELF was stripped of its symbols or of its debug information.' },
  FIRMWARE_NO_CALL_FRAMES: { description: 'The ELF does not say how callers are found.' },
  FIRMWARE_COMPRESSED: {
    description: 'The ELF’s debug sections are compressed in a way that cannot be read.',
  },
  FIRMWARE_SPLIT_DEBUG: { description: 'The debug information is in other files.' },
  ROM_UNREADABLE: { description: 'The ELF of the chip’s ROM could not be read.' },
  BUILD_CHOSEN: { description: 'A person chose the build.' },
  SEVERAL_BUILDS: { description: 'Several builds have this SHA-256 prefix, or this version.' },
  FIRMWARE_VERSIONS_DIFFER: { description: 'The device reported another version than the crashed build’s.' },
  OTHER: { description: 'From a report of an earlier version, or of another parse sidecar.' },
};

const WarningCode = builder.enumType('ReportWarningCode', {
  description: 'What a warning is about. Values may be added.',
  values: CODES,
});

export const ReportWarning = builder.objectRef<reader.ReportWarning>('ReportWarning').implement({
  description: 'A part of the dump that was cut, broken or doubtful. The rest of the report stays reliable.',
  fields: (t) => ({
    code: t.expose('code', { type: WarningCode, description: 'What it is about.' }),
    message: t.exposeString('message', { description: 'One sentence for people.' }),
  }),
});
