import type * as reader from '../../crashdump/index.js';
import { builder } from './builder.js';
import { CrashKind } from './crash-kind.js';
import { CrashSource } from './crash-source.js';
import { CrashTask } from './crash-task.js';
import { DeviceIdentity, DeviceValue } from './device-block.js';
import { MemoryRegion } from './memory-region.js';
import { Register } from './register.js';
import { ReportWarning } from './report-warning.js';

const DumpChecksum = builder.enumType('DumpChecksum', {
  description: 'Whether the dump arrived as the device wrote it. Values may be added.',
  values: {
    OK: { value: 'ok', description: 'The checksum in the dump is right.' },
    BAD: { value: 'bad', description: 'It is wrong: parts of the dump may be damaged.' },
    ABSENT: { value: 'absent', description: 'The dump has none.' },
  } as const,
});

const CrashCause = builder.objectRef<reader.CrashCause>('CrashCause').implement({
  description: 'What the exception registers of the processor say.',
  fields: (t) => ({
    code: t.exposeFloat('code', { description: 'Value of `register`: 28.' }),
    name: t.exposeString('name', {
      description: 'As esp-coredump prints it: `LoadProhibitedCause`, `Load access fault`.',
    }),
    register: t.exposeString('register', { description: '`exccause` on Xtensa, `mcause` on RISC-V.' }),
    address: t.exposeString('address', {
      nullable: true,
      description:
        'Value of `excvaddr` or `mtval`, `0x…`. An accessed address only for some causes: then it is `faultAddress` too.',
    }),
  }),
});

const Culprit = builder.objectRef<reader.Culprit>('Culprit').implement({
  description: 'The place to which a crash is attributed.',
  fields: (t) => ({
    function: t.exposeString('function', { description: 'Its name: `sensor_read`.' }),
    file: t.exposeString('file', { nullable: true, description: 'Source file as the ELF names it.' }),
    line: t.exposeInt('line', { nullable: true, description: 'Line in it, from 1.' }),
  }),
});

const ElfMatch = builder.enumType('ElfMatch', {
  description: 'Whether the ELF is the one that the device ran. Values may be added.',
  values: {
    MATCHES: { value: 'matches', description: 'The dump carries its SHA-256, or the first digits of it.' },
    DIFFERS: { value: 'differs', description: 'The dump carries the SHA-256 of another one.' },
    UNKNOWN: {
      value: 'unknown',
      description: 'There was no ELF, or the dump carries no SHA-256, as dumps of the BIN format.',
    },
  } as const,
});

export const CrashReport = builder.objectRef<reader.CrashReport>('CrashReport').implement({
  description:
    'What is known of a crash: the content of its core dump, panic text or summary, read with the firmware’s ELF. docs/crash-report.md explains each field.',
  fields: (t) => ({
    schemaVersion: t.exposeInt('schemaVersion', {
      description: 'Version of the report’s fields: 2. 1 for reports that were stored by earlier releases.',
    }),
    source: t.expose('source', {
      type: CrashSource,
      description: 'What was read: `CORE_DUMP`, and of reports of earlier releases always that.',
    }),
    kind: t.expose('kind', { type: CrashKind, description: 'The kind of the crash.' }),
    reason: t.exposeString('reason', {
      description: 'One line, as the device says it: “LoadProhibited at 0x00000010”.',
    }),
    faultAddress: t.exposeString('faultAddress', {
      nullable: true,
      description:
        'The address that the faulting instruction accessed, `0x…`. Null when the crash is no access.',
    }),
    cause: t.field({
      type: CrashCause,
      nullable: true,
      description: 'What the exception registers say. Null when the dump does not hold them.',
      resolve: ({ cause }) => cause,
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
    watchdogTasks: t.exposeStringList('watchdogTasks', {
      description:
        'Of a task watchdog: the tasks that it waited for, as the device names them: `IDLE0 (CPU 0)`. Empty for other kinds.',
    }),
    culprit: t.field({
      type: Culprit,
      nullable: true,
      description:
        'The place in the firmware’s own code to which the crash is attributed. Null when it is unknown.',
      resolve: ({ culprit }) => culprit,
    }),
    fingerprint: t.exposeString('fingerprint', {
      description:
        'Equal for crashes at the same place, also in different builds: the version of its recipe, a colon and 16 digits. Never empty.',
    }),
    crashedTask: t.exposeString('crashedTask', {
      nullable: true,
      description: 'Name of the task that crashed.',
    }),
    appElfSha256: t.exposeString('appElfSha256', {
      nullable: true,
      description: 'SHA-256 of the ELF that the device ran, or its first digits, as in the dump.',
    }),
    elfMatch: t.expose('elfMatch', {
      type: ElfMatch,
      description: 'Whether the ELF is the one that the device ran.',
    }),
    elfMatches: t.exposeBoolean('elfMatches', {
      description: '`elfMatch` is MATCHES. False also when that cannot be said.',
    }),
    usesElf: t.exposeBoolean('usesElf', {
      description:
        'Names, lines and values come from the ELF: it matches, or its code fits the dump. False: the dump was read without it.',
    }),
    elfEvidence: t.exposeString('elfEvidence', {
      nullable: true,
      description:
        'Why the ELF is used although the dump does not name it: “…, 19 of 19 return addresses fit.” Null for others.',
    }),
    format: t.exposeString('format', {
      description: 'Format of the dump: `ELF SHA256 v2.1`, `BIN v1`; who wrote a text: `ESP-IDF panic`.',
    }),
    transport: t.exposeString('transport', {
      nullable: true,
      description:
        'The text that the dump travelled in: “base64 lines of a console log”, “a hex dump”. Null for raw bytes.',
    }),
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
    memoryRegions: t.field({
      type: [MemoryRegion],
      description:
        'The ELF’s sections, then memory that only the dump has, by address. At most 256: `memoryRegionCount` says how many there are.',
      resolve: ({ memoryRegions }) => memoryRegions,
    }),
    deviceIdentity: t.field({
      type: DeviceIdentity,
      nullable: true,
      description: 'Who the device says it is. Null when its firmware does not have the device component.',
      resolve: ({ deviceIdentity }) => deviceIdentity,
    }),
    values: t.field({
      type: [DeviceValue],
      description: 'What the firmware had set by `coredock_set`. Empty without the device component.',
      resolve: ({ values }) => values,
    }),
    logLines: t.exposeStringList('logLines', {
      description:
        'The newest lines of the device’s log, oldest first. Empty without the device component. For admins: viewers get one line that says so.',
    }),
    memoryRegionCount: t.exposeInt('memoryRegionCount', {
      description: 'How many regions there are, also those that `memoryRegions` leaves out.',
    }),
  }),
});
