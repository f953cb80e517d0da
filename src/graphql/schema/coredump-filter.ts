import { hasRole } from '../../auth/principal.js';
import type {
  CoredumpFilter,
  CoredumpKind as CoredumpKindName,
  ParseErrorKind as ParseErrorKindName,
  ParseStatus as ParseStatusName,
} from '../../coredumps/types.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { CrashKind } from './crash-kind.js';
import { checkedFilter, rowIdsOf } from './inputs.js';
import { OrderDirection } from './order.js';

const STATUSES: Readonly<Record<ParseStatusName, { description: string }>> = {
  PENDING: { description: 'Waits for the parser, or is being parsed.' },
  PARSED: { description: 'Was parsed: text and report are there.' },
  ERROR: {
    description:
      'Was not parsed; `parseErrorKind` and `parsedOutput` say why. A dump that only waits for its build has a report all ' +
      'the same, with what the dump alone tells.',
  },
};

export const ParseStatus = builder.enumType('ParseStatus', {
  description: 'What became of the parse of a core dump.',
  values: STATUSES,
});

const ERROR_KINDS: Readonly<
  Record<Uppercase<ParseErrorKindName>, { value: ParseErrorKindName; description: string }>
> = {
  MISSING_FIRMWARE: {
    value: 'missing_firmware',
    description: 'It waits for its build (`waitingFor`): the upload of the build resolves it.',
  },
  LOST_FIRMWARE: {
    value: 'lost_firmware',
    description: 'The storage has lost the ELF of its build: the upload of the same ELF resolves it.',
  },
  LOST_COREDUMP: {
    value: 'lost_coredump',
    description: 'The storage has lost its raw bytes: their restoration resolves it.',
  },
  REMOVED_COREDUMP: {
    value: 'removed_coredump',
    description: 'Its raw bytes were removed before it was parsed.',
  },
  UNREADABLE: {
    value: 'unreadable',
    description: 'It is nothing of a crash, or too damaged to be read.',
  },
  NO_CRASH: {
    value: 'no_crash',
    description:
      'A text that only looks like a crash, such as that of a task watchdog without a panic: the device ran on. It is ' +
      'counted nowhere as a crash.',
  },
  FAILED: { value: 'failed', description: 'Three attempts failed: `reparseCoredump` tries again.' },
};

export const ParseErrorKind = builder.enumType('ParseErrorKind', {
  description: 'Why a dump ended ERROR, and what resolves it. Values may be added.',
  values: ERROR_KINDS,
});

const KINDS: Readonly<Record<CoredumpKindName, { description: string }>> = {
  CORE_DUMP: { description: 'A core dump in the format of ESP-IDF.' },
  PANIC_TEXT: {
    description:
      'What the device printed on its serial line: the text of a panic, of ESP-IDF or of other firmware, or a backtrace alone.',
  },
  SUMMARY: {
    description:
      'The most important values of a crash as JSON, of firmware without a partition for core dumps: `POST /api/iot/crash`.',
  },
};

export const CoredumpKind = builder.enumType('CoredumpKind', {
  description:
    'What a device sent of its crash. Values may be added. A value that this server does not know is CORE_DUMP.',
  values: KINDS,
});

export const CoredumpFilterInput = builder.inputType('CoredumpFilter', {
  description:
    'Conditions for core dumps. All that are given must hold. A list means "one of", an empty list matches nothing. ' +
    'A field that is left out or null does not filter.',
  fields: (t) => ({
    id: t.idList({ description: 'Global ids of dumps. An id of anything else matches nothing.' }),
    kind: t.field({ type: [CoredumpKind], description: 'What the device sent.' }),
    parseStatus: t.field({ type: [ParseStatus], description: 'What became of the parse.' }),
    parseErrorKind: t.field({
      type: [ParseErrorKind],
      description:
        'Why the parse ended ERROR. `[MISSING_FIRMWARE, LOST_FIRMWARE]`: the dumps that wait for a build. Dumps without an ' +
        'error do not match.',
    }),
    chip: t.stringList({ description: 'As the device reported it, for example `esp32c3`.' }),
    crashVersion: t.stringList({
      description: 'The version that crashed, exactly, for example `1.4.2`: see `Coredump.crashVersion`.',
    }),
    firmwareVersion: t.stringList({
      description:
        'As the device reported it, for example `1.5.0`, which may be after its update: mostly `crashVersion` is meant.',
    }),
    firmwareId: t.idList({
      description: 'Global ids of builds: dumps that were last parsed with one of them.',
    }),
    deviceId: t.idList({ description: 'Global ids of devices.' }),
    deviceKey: t.stringList({ description: 'Keys of devices.' }),
    modelCode: t.stringList({ description: 'Codes of device models.' }),
    crashGroupId: t.idList({ description: 'Global ids of crash groups.' }),
    fingerprint: t.stringList({
      description: 'Of the report. Dumps with the same one crashed at the same place.',
    }),
    crashKind: t.field({
      type: [CrashKind],
      description: 'Of the report. Dumps without a report do not match.',
    }),
    crashedTask: t.stringList({ description: 'Name of the task that crashed, of the report: `wifi`.' }),
    reason: t.string({
      description:
        'Words that must all occur in the reason of the report, in upper or lower case: `LoadProhibited`. At most 200 ' +
        'characters and 10 words.',
    }),
    hasRaw: t.boolean({
      description: 'Whether the raw bytes are stored: neither removed nor lost by the storage.',
    }),
    uploadedAfter: t.field({ type: 'DateTime', description: 'Time of arrival, inclusive.' }),
    uploadedBefore: t.field({ type: 'DateTime', description: 'Time of arrival, exclusive.' }),
    parsedAfter: t.field({ type: 'DateTime', description: 'End of the last parse, inclusive.' }),
    parsedBefore: t.field({ type: 'DateTime', description: 'End of the last parse, exclusive.' }),
    search: t.string({
      description:
        'Words that must all occur, in upper or lower case, in file name, chip, version, key, serial or name of the device, or ' +
        'output; for viewers, who may not read all of it, in reason, task, title, function or file of the crash instead: ' +
        '`search` looks into the rest for them. At most 200 characters and 10 words.',
    }),
  }),
});

/** @throws DomainError BAD_USER_INPUT for a filter that is too large */
export function toCoredumpFilter(
  input: typeof CoredumpFilterInput.$inferInput | null | undefined,
  { person }: Pick<Context, 'person'>,
): CoredumpFilter {
  const { id, firmwareId, deviceId, crashGroupId, ...rest } = checkedFilter(input ?? {});
  return {
    ...rest,
    ...(rest.search === undefined ? {} : { searchesOutputs: hasRole(person, 'admin') }),
    ...(id === undefined ? {} : { id: rowIdsOf('Coredump', id) }),
    ...(firmwareId === undefined ? {} : { firmwareId: rowIdsOf('Firmware', firmwareId) }),
    ...(deviceId === undefined ? {} : { deviceId: rowIdsOf('Device', deviceId) }),
    ...(crashGroupId === undefined ? {} : { crashGroupId: rowIdsOf('CrashGroup', crashGroupId) }),
  };
}

const CoredumpOrderField = builder.enumType('CoredumpOrderField', {
  description: 'What core dumps are ordered by. Values may be added.',
  values: {
    UPLOADED_AT: { description: 'The order of arrival, also of dumps with the same `uploadedAt`.' },
  },
});

export const CoredumpOrder = builder.inputType('CoredumpOrder', {
  description: 'Order of a list of core dumps. Without it: the newest first.',
  fields: (t) => ({
    field: t.field({ type: CoredumpOrderField, required: true, description: 'What is compared.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'DESC when left out: the newest first.',
    }),
  }),
});
