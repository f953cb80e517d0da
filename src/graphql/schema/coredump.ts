import { completeValue } from '@pothos/core';
import { hasRole } from '../../auth/principal.js';
import { redactOutput, redactReport } from '../../coredumps/redact.js';
import { RAW_REMOVAL_REASONS } from '../../coredumps/remove-raw.js';
import type { CoredumpRow } from '../../coredumps/types.js';
import { notFound } from '../../errors.js';
import { decodeGlobalId, encodeGlobalId } from '../../global-ids.js';
import { columnsOf } from '../limits/listed-fields.js';
import { copiesOfParts } from '../limits/selection-size.js';
import { builder } from './builder.js';
import { CoredumpFilterInput, ParseStatus, toCoredumpFilter } from './coredump-filter.js';
import { CrashReport } from './crash-report.js';
import { Device } from './device.js';
import { Firmware } from './firmware.js';
import { followDumps } from './follow-dumps.js';
import { requireId, rowIdOf } from './inputs.js';
import { page } from './pages.js';

const RawRemovalReason = builder.enumType('RawRemovalReason', {
  description: 'Why the raw bytes of a dump were removed. More reasons may be added.',
  values: {
    PRIVACY: { description: 'The privacy settings of its model ask for it.' },
    STORAGE_LIMIT: { description: 'The oldest dumps are removed to free space (MAX_STORAGE_BYTES).' },
  } satisfies Record<(typeof RAW_REMOVAL_REASONS)[number], { description: string }>,
});

export const Coredump = builder.objectRef<CoredumpRow>('Coredump');

builder.node(Coredump, {
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.coredumps.byId.load(rowIdOf(id)),
  fields: (t) => ({
    filename: t.exposeString('filename'),
    chip: t.exposeString('chip', { description: 'As the device reported it.' }),
    firmwareVersion: t.exposeString('firmwareVersion', { description: 'As the device reported it.' }),
    size: t.exposeInt('size', { description: 'Bytes.' }),
    sha256: t.exposeString('sha256', { description: 'Of the raw bytes.' }),
    parseStatus: t.expose('parseStatus', { type: ParseStatus }),
    parseAttempts: t.exposeInt('parseAttempts'),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime' }),
    parsedAt: t.expose('parsedAt', { type: 'DateTime', nullable: true }),
    fingerprint: t.exposeString('fingerprint', {
      nullable: true,
      description: 'Of the report; `filter` takes it. Null while PENDING.',
    }),
    downloadUrl: t.string({
      description:
        'Path of the raw bytes on this server. With authentication on, it works without a header for five minutes.',
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
      resolve: ({ deviceId }, _, { loaders }) =>
        completeValue(loaders.devices.byId.load(deviceId), (device) => {
          if (device === null) throw notFound('device', deviceId);
          return device;
        }),
    }),
    firmware: t.field({
      type: Firmware,
      nullable: true,
      description: 'The build that it was parsed with.',
      resolve: ({ firmwareId }, _, { loaders }) =>
        firmwareId === null ? null : loaders.firmwares.byId.load(firmwareId),
    }),
    parsedOutput: t.string({
      nullable: true,
      description:
        'The report as text in the layout of esp-coredump, or why there is none. Null while PENDING. Viewers get it ' +
        'without memory contents.',
      resolve: async ({ id }, _, { loaders, person, answer }) => {
        const output = await loaders.coredumps.texts.output(id, answer);
        return output === null || hasRole(person, 'admin') ? output : redactOutput(output);
      },
    }),
    report: t.field({
      type: CrashReport,
      nullable: true,
      description: 'Viewers get it without the values of function arguments and what they point to.',
      resolve: async ({ id }, _, { loaders, person, answer }, info) => {
        const report = await loaders.coredumps.texts.report(id, copiesOfParts(info), answer);
        return report === null || hasRole(person, 'admin') ? report : redactReport(report);
      },
    }),
  }),
});

export const CoredumpConnection = builder.connectionObject({ type: Coredump, name: 'CoredumpConnection' });

builder.objectFields(Device, (t) => ({
  coredumps: t.connection(
    {
      type: Coredump,
      description: 'Newest first. One SQL statement, however many devices a request asks.',
      args: { filter: t.arg({ type: CoredumpFilterInput }) },
      resolve: (device, { filter: input, ...args }, { loaders }, info) => {
        const { id: deviceId } = device;
        // Its dumps may be asked for their device.
        loaders.devices.byId.know(device);
        const filter = toCoredumpFilter(input);
        const columns = columnsOf(info);
        return page(
          args,
          (window) => loaders.coredumps.ofDevice.load({ deviceId, filter, window, columns }),
          () => loaders.coredumps.countOfDevice.load({ deviceId, filter }),
        );
      },
    },
    CoredumpConnection,
  ),
  coredump: t.field({
    type: Coredump,
    nullable: true,
    description: 'Null unless the dump belongs to this device.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (device, { id }, { loaders }) => {
      const coredumpId = decodeGlobalId('Coredump', String(id));
      const dump = coredumpId === null ? null : await loaders.coredumps.byId.load(coredumpId);
      return dump?.deviceId === device.id ? dump : null;
    },
  }),
  coredumpCount: t.int({
    resolve: ({ id: deviceId }, _, { loaders }) =>
      loaders.coredumps.countOfDevice.load({ deviceId, filter: {} }),
  }),
  lastCoredump: t.field({
    type: Coredump,
    nullable: true,
    resolve: async ({ id: deviceId }, _, { loaders }) => {
      const [last] = await loaders.coredumps.ofDevice.load({ deviceId, filter: {}, window: { take: 1 } });
      return last ?? null;
    },
  }),
}));

builder.queryFields((t) => ({
  coredumps: t.connection(
    {
      type: Coredump,
      description: 'Dumps of the whole fleet, newest first.',
      args: { filter: t.arg({ type: CoredumpFilterInput }) },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const filter = toCoredumpFilter(input);
        return page(
          args,
          (window) => services.coredumps.list(filter, window),
          () => services.coredumps.count(filter),
        );
      },
    },
    CoredumpConnection,
  ),
  coredump: t.field({
    type: Coredump,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, { id }, { loaders }) => {
      const coredumpId = decodeGlobalId('Coredump', String(id));
      return coredumpId === null ? null : loaders.coredumps.byId.load(coredumpId);
    },
  }),
}));

builder.relayMutationField(
  'deleteCoredump',
  {
    inputFields: (t) => ({
      id: t.id({ required: true }),
      deviceId: t.id({ description: 'NOT_FOUND unless the dump belongs to this device.' }),
    }),
  },
  {
    description: 'Deletes the row, then the file.',
    resolve: async (_, { input: { id, deviceId } }, { services }) => {
      const coredumpId = requireId('Coredump', id);
      await services.coredumps.delete(
        coredumpId,
        deviceId == null ? undefined : requireId('Device', deviceId, 'deviceId'),
      );
      return { deletedCoredumpId: encodeGlobalId('Coredump', coredumpId) };
    },
  },
  { outputFields: (t) => ({ deletedCoredumpId: t.exposeID('deletedCoredumpId') }) },
);

builder.relayMutationField(
  'deleteCoredumps',
  { inputFields: (t) => ({ deviceId: t.id({ required: true }) }) },
  {
    description: 'Deletes all dumps of a device.',
    resolve: async (_, { input: { deviceId } }, { services }) => ({
      count: await services.coredumps.deleteAllOf(requireId('Device', deviceId, 'deviceId')),
    }),
  },
  { outputFields: (t) => ({ count: t.exposeInt('count', { description: 'Dumps that were deleted.' }) }) },
);

builder.relayMutationField(
  'reparseCoredump',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    description: 'Sets it back to PENDING and queues it.',
    resolve: (_, { input: { id } }, { services }) => services.coredumps.reparse(requireId('Coredump', id)),
  },
  { outputFields: (t) => ({ coredump: t.field({ type: Coredump, resolve: (dump) => dump }) }) },
);

builder.relayMutationField(
  'reparseCoredumps',
  { inputFields: (t) => ({ filter: t.field({ type: CoredumpFilterInput, required: true }) }) },
  {
    description: 'Queues every dump that matches the filter again.',
    resolve: async (_, { input: { filter } }, { services }) => ({
      count: await services.coredumps.reparseAll(toCoredumpFilter(filter)),
    }),
  },
  { outputFields: (t) => ({ count: t.exposeInt('count', { description: 'Dumps that were queued.' }) }) },
);

builder.subscriptionField('parseStatus', (t) =>
  t.field({
    type: Coredump,
    description:
      'The dump after each change of its status, its arrival included. With `coredumpId` the current state ' +
      'comes first; with neither argument, every dump of the fleet.',
    args: { coredumpId: t.arg.id(), deviceId: t.arg.id() },
    subscribe: (_, { coredumpId, deviceId }, { services }) =>
      followDumps(services.coredumps, {
        ...(coredumpId == null ? {} : { coredumpId: requireId('Coredump', coredumpId, 'coredumpId') }),
        ...(deviceId == null ? {} : { deviceId: requireId('Device', deviceId, 'deviceId') }),
      }),
    resolve: (dump) => dump,
  }),
);
