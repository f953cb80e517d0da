import { completeValue } from '@pothos/core';
import { hasRole } from '../../auth/principal.js';
import { describeCrash } from '../../coredumps/describe.js';
import { redactOutput, redactReport } from '../../coredumps/redact.js';
import { RAW_REMOVAL_REASONS } from '../../coredumps/remove-raw.js';
import { type CoredumpRow, WAITING_KINDS } from '../../coredumps/types.js';
import { notFound } from '../../errors.js';
import { copiesOfParts, selectsBelow } from '../limits/selection-size.js';
import { builder } from './builder.js';
import { CoredumpKind, ParseErrorKind, ParseStatus } from './coredump-filter.js';
import { CrashKind } from './crash-kind.js';
import { CrashReport } from './crash-report.js';
import { Device } from './device.js';
import { Firmware } from './firmware.js';
import { followDumps } from './follow-dumps.js';
import { requireId, rowIdOf } from './inputs.js';
import { sourceUrlsOf, withSourceUrls } from './source-urls.js';

const RawRemovalReason = builder.enumType('RawRemovalReason', {
  description: 'Why the raw bytes of a dump were removed. Values may be added.',
  values: {
    PRIVACY: { description: 'The privacy settings of its model ask for it.' },
    STORAGE_LIMIT: { description: 'The oldest dumps are removed to free space (MAX_STORAGE_BYTES).' },
  } satisfies Record<(typeof RAW_REMOVAL_REASONS)[number], { description: string }>,
});

const AwaitedBuild = builder.objectRef<CoredumpRow>('AwaitedBuild').implement({
  description: 'A build that a dump waits for. See `missingFirmwares` for all of them.',
  fields: (t) => ({
    firmwareVersion: t.exposeString('firmwareVersion', {
      description: 'The version of the build: as the device reported it.',
    }),
    chip: t.string({
      description: 'The chip of the build: that of the dump, else as the device reported it.',
      resolve: ({ dumpChip, chip }) => dumpChip ?? chip,
    }),
    elfSha256Prefix: t.exposeString('appElfSha256', {
      nullable: true,
      description: 'First digits of the SHA-256 of its ELF, as in the dump. Null where the dump has none.',
    }),
  }),
});

export const Coredump = builder.objectRef<CoredumpRow>('Coredump');

builder.node(Coredump, {
  description:
    'A crash of a device: the core dump, panic text or summary that it sent, and what the parser made of it.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.coredumps.byId.load(rowIdOf(id)),
  fields: (t) => ({
    kind: t.expose('kind', {
      type: CoredumpKind,
      description:
        'What the device sent. An uploaded text is CORE_DUMP until the parser has taken a first look at it.',
    }),
    filename: t.exposeString('filename', {
      description: 'Name of its file, unique for the device: `coredump_20260211T143000_123456Z.dmp`.',
    }),
    chip: t.exposeString('chip', { description: 'As the device reported it, for example `esp32c3`.' }),
    crashVersion: t.string({
      // Empty where a server of an earlier release has added the row a moment ago.
      resolve: ({ crashVersion, firmwareVersion }) => crashVersion || firmwareVersion,
      description:
        'The version that crashed, for example `1.4.2`: of the build that the dump names, else of the build that a person ' +
        'chose for a dump that names none, else as the device reported it. Lists, filters and counts go by it. It is ' +
        'corrected as soon as the build is known.',
    }),
    firmwareVersion: t.exposeString('firmwareVersion', {
      description:
        'As the device reported it, for example `1.5.0`. Devices send a dump after the restart, and one that was updated ' +
        'meanwhile reports the new version: `crashVersion` is the one that crashed.',
    }),
    size: t.exposeInt('size', { description: 'Bytes of the raw dump, text or summary.' }),
    sha256: t.exposeString('sha256', { description: 'SHA-256 of the raw bytes, 64 hexadecimal digits.' }),
    parseStatus: t.expose('parseStatus', { type: ParseStatus, description: 'What became of the parse.' }),
    parseErrorKind: t.expose('parseErrorKind', {
      type: ParseErrorKind,
      nullable: true,
      description: 'Why the parse ended ERROR; null otherwise.',
    }),
    parseAttempts: t.exposeInt('parseAttempts', {
      description: 'Attempts of the last parse, 0 to 3. A parse that is asked for again counts anew.',
    }),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime', description: 'When it arrived.' }),
    updatedAt: t.field({
      type: 'DateTime',
      description:
        'When something of it last changed: its arrival, the end of a parse, a parse that was asked for, the removal or ' +
        'loss of its raw bytes.',
      resolve: ({ updatedAt, uploadedAt }) => updatedAt ?? uploadedAt,
    }),
    parsedAt: t.expose('parsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the last parse ended, well or not; null while PENDING.',
    }),
    fingerprint: t.exposeString('fingerprint', {
      nullable: true,
      description:
        'Of the report: equal for crashes at the same place. Null while PENDING, without a report, and for crashes ' +
        'without a function of the firmware.',
    }),
    crashKind: t.expose('crashKind', {
      type: CrashKind,
      nullable: true,
      description: 'Of the report, read without it; null without a report.',
    }),
    crashedTask: t.exposeString('crashedTask', {
      nullable: true,
      description:
        'Name of the task that crashed, of the report: `wifi`. The first 64 characters. Null without a report, and when ' +
        'the dump does not say it.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description:
        'Of the report: `abort() was called at PC 0x42009351 on core 0`. The first 500 characters; the report has all. Null ' +
        'without a report.',
    }),
    downloadUrl: t.string({
      description:
        'Address of the raw bytes: `https://coredock.example.org/api/coredumps/Q29…/download` where the server has a ' +
        'PUBLIC_URL, else the path alone, `/api/coredumps/Q29…/download`. With authentication on, it has a signature and ' +
        'works without a header for five minutes. 410 once the raw bytes were removed.',
      resolve: ({ id }, _, { downloadUrlOf }) => downloadUrlOf(id),
    }),
    rawRemovedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the raw bytes were removed; null while they are there.',
      resolve: async ({ id }, _, { loaders }) =>
        (await loaders.coredumps.removedRaw.load(id))?.removedAt ?? null,
    }),
    rawRemovedReason: t.field({
      type: RawRemovalReason,
      nullable: true,
      description: 'Why the raw bytes were removed; null while they are there.',
      resolve: async ({ id }, _, { loaders }) => {
        const removed = await loaders.coredumps.removedRaw.load(id);
        return RAW_REMOVAL_REASONS.find((reason) => reason === removed?.reason) ?? null;
      },
    }),
    rawLostAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the server noticed that the storage has lost the raw bytes, which nobody removed. Null while they are there.',
      resolve: ({ id }, _, { loaders }) => loaders.coredumps.rawLostAt.load(id),
    }),
    device: t.field({
      type: Device,
      description: 'The device that sent it.',
      resolve: ({ deviceId }, _, { loaders }) =>
        completeValue(loaders.devices.byId.load(deviceId), (device) => {
          if (device === null) throw notFound('device', deviceId);
          return device;
        }),
    }),
    firmware: t.field({
      type: Firmware,
      nullable: true,
      description:
        'The build that it was last parsed with; `report.elfMatches` says whether it is the one that the device ran. Null ' +
        'before the first parse, without a build, and when the build was deleted.',
      resolve: ({ firmwareId }, _, { loaders }) =>
        firmwareId === null ? null : loaders.firmwares.byId.load(firmwareId),
    }),
    chosenFirmware: t.field({
      type: Firmware,
      nullable: true,
      description:
        'The build that a person chose for its parse (`parseCoredump`). Null when its build is found by the dump itself.',
      resolve: ({ chosenFirmwareId }, _, { loaders }) =>
        chosenFirmwareId === null ? null : loaders.firmwares.byId.load(chosenFirmwareId),
    }),
    waitingFor: t.field({
      type: AwaitedBuild,
      nullable: true,
      description:
        'The build that it waits for, whose upload makes the server parse it again by itself: after an ERROR of the kind ' +
        'MISSING_FIRMWARE or LOST_FIRMWARE, and after it was parsed with another build than the one that it names. Null ' +
        'otherwise, when a person chose the build, and once the raw bytes were removed.',
      resolve: async (dump, _, { loaders }) => {
        // Without its raw bytes it is never read again.
        if ((await loaders.coredumps.removedRaw.load(dump.id)) !== null) return null;
        if (WAITING_KINDS.some((kind) => kind === dump.parseErrorKind)) return dump;
        const { parseStatus, firmwareId, appElfSha256, chosenFirmwareId } = dump;
        if (parseStatus !== 'PARSED' || chosenFirmwareId !== null) return null;
        if (firmwareId === null || appElfSha256 === null) return null;
        const firmware = await loaders.firmwares.byId.load(firmwareId);
        return firmware === null || firmware.elfSha256.startsWith(appElfSha256) ? null : dump;
      },
    }),
    parsedOutput: t.string({
      nullable: true,
      description:
        'The report as text in the layout of esp-coredump, or why there is none. When the build is missing: that, and what ' +
        'the dump alone tells. Null while PENDING. Viewers get it without memory contents.',
      resolve: async ({ id }, _, { loaders, person, answer }) => {
        const output = await loaders.coredumps.texts.output(id, answer);
        return output === null || hasRole(person, 'admin') ? output : redactOutput(output);
      },
    }),
    markdown: t.string({
      description:
        'The crash as Markdown, to be taken along: title, links, facts, cause, backtrace, other tasks, warnings, commands for ' +
        'GDB. At most 64 KiB. Always redacted as the report is for viewers, and no text of a device can become markup in it.',
      resolve: async (dump, _, { loaders, services, answer }) => {
        const { id } = dump;
        const facts = await loaders.coredumps.facts.load(id);
        if (facts === null) throw notFound('core dump', id);
        const report = await loaders.coredumps.texts.report(id, 1, answer);
        const output = report === null ? await loaders.coredumps.texts.output(id, answer) : null;
        const sourceUrlOf = report === null ? null : await sourceUrlsOf(dump, loaders);
        const links = {
          ...services.coredumps.markdownLinks,
          ...(sourceUrlOf === null ? {} : { sourceUrlOf }),
        };
        const text = describeCrash(facts, report, output, links);
        answer.admit(text.length);
        return text;
      },
    }),
    report: t.field({
      type: CrashReport,
      nullable: true,
      description:
        'The content of the dump. Null while PENDING, and when it could not be parsed. A dump that waits for its build has ' +
        'what the dump alone tells: reason, tasks, registers, on Xtensa whole backtraces. Viewers get it without the values ' +
        'of function arguments and what they point to.',
      resolve: async (dump, _, { loaders, person, answer }, info) => {
        const report = await loaders.coredumps.texts.report(dump.id, copiesOfParts(info), answer);
        if (report === null) return null;
        const shown = hasRole(person, 'admin') ? report : redactReport(report);
        return selectsBelow(info, 'sourceUrl') ? withSourceUrls(shown, dump, loaders) : shown;
      },
    }),
  }),
});

export const CoredumpConnection = builder.connectionObject({ type: Coredump, name: 'CoredumpConnection' });

builder.subscriptionField('parseStatus', (t) =>
  t.field({
    type: Coredump,
    description:
      'The dump after each change of its status, its arrival included. With `coredumpId` the current state ' +
      'comes first, and the subscription completes when the dump or the device is deleted. With neither argument, ' +
      'every dump of the fleet; `crashEvents` tells of deletions.',
    args: {
      coredumpId: t.arg.id({ description: 'Only this dump.' }),
      deviceId: t.arg.id({ description: 'Only dumps of this device.' }),
    },
    subscribe: (_, { coredumpId, deviceId }, { services }) =>
      followDumps(services, {
        ...(coredumpId == null ? {} : { coredumpId: requireId('Coredump', coredumpId, 'coredumpId') }),
        ...(deviceId == null ? {} : { deviceId: requireId('Device', deviceId, 'deviceId') }),
      }),
    resolve: (dump) => dump,
  }),
);
