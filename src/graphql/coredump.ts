import { countCoredumps, listCoredumps } from '../coredumps/queries.js';
import { COREDUMP_ROW } from '../coredumps/row.js';
import { type CoredumpFilter, type CoredumpRow, PARSE_STATUSES } from '../coredumps/types.js';
import { badInput, notFound } from '../errors.js';
import { decodeGlobalId, encodeGlobalId } from '../ids.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { CrashReport } from './crashReport.js';
import { Device } from './device.js';
import { Firmware } from './firmware.js';
import { present, requireId, rowOf } from './inputs.js';
import { page } from './pages.js';

const MAX_SEARCH_LENGTH = 200;

const ParseStatus = builder.enumType('ParseStatus', { values: PARSE_STATUSES });

export const Coredump = builder.prismaNode('Coredump', {
  id: { field: 'id' },
  findUnique: rowOf,
  nullable: true,
  // The light columns; text and report come from their own loader.
  select: COREDUMP_ROW,
  fields: (t) => ({
    filename: t.exposeString('filename'),
    chip: t.exposeString('chip', { description: 'As the device reported it.' }),
    firmwareVersion: t.exposeString('firmwareVersion', { description: 'As the device reported it.' }),
    size: t.exposeInt('size', { description: 'Bytes.' }),
    sha256: t.exposeString('sha256', { description: 'Of the raw bytes.' }),
    parseStatus: t.field({
      type: ParseStatus,
      resolve: ({ parseStatus }) => PARSE_STATUSES.find((status) => status === parseStatus) ?? 'PENDING',
    }),
    parseAttempts: t.exposeInt('parseAttempts'),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime' }),
    parsedAt: t.expose('parsedAt', { type: 'DateTime', nullable: true }),
    downloadUrl: t.string({
      description: 'Path of the raw bytes on this server.',
      resolve: ({ id }) => `/api/coredumps/${encodeURIComponent(encodeGlobalId('Coredump', id))}/download`,
    }),
    device: t.field({
      type: Device,
      resolve: async ({ deviceId }, _, { loaders }) => {
        const device = await loaders.devices.byId.load(deviceId);
        if (device === null) throw notFound('device', deviceId);
        return device;
      },
    }),
    firmware: t.field({
      type: Firmware,
      nullable: true,
      description: 'The build that it was read with.',
      resolve: ({ firmwareId }, _, { loaders }) =>
        firmwareId === null ? null : loaders.firmwares.byId.load(firmwareId),
    }),
    parsedOutput: t.string({
      nullable: true,
      description:
        'The report as text in the layout of esp-coredump, or why there is none. Null while PENDING.',
      resolve: async ({ id }, _, { loaders }) => (await loaders.coredumps.text.load(id))?.output ?? null,
    }),
    report: t.field({
      type: CrashReport,
      nullable: true,
      resolve: async ({ id }, _, { loaders }) => (await loaders.coredumps.text.load(id))?.report ?? null,
    }),
  }),
});

export const CoredumpFilterInput = builder.inputType('CoredumpFilter', {
  description: 'What is left out does not matter; lists mean "one of".',
  fields: (t) => ({
    parseStatus: t.field({ type: [ParseStatus] }),
    chip: t.stringList({}),
    firmwareVersion: t.stringList({}),
    deviceKey: t.stringList({}),
    modelCode: t.stringList({}),
    uploadedAfter: t.field({ type: 'DateTime', description: 'Inclusive.' }),
    uploadedBefore: t.field({ type: 'DateTime', description: 'Exclusive.' }),
    search: t.string({
      description:
        'Words that must all occur, whatever their case, in file name, chip, version, device or output.',
    }),
  }),
});

/** @throws DomainError BAD_USER_INPUT for a search that is too long */
export function toFilter(input: typeof CoredumpFilterInput.$inferInput | null | undefined): CoredumpFilter {
  if ((input?.search?.length ?? 0) > MAX_SEARCH_LENGTH) {
    throw badInput(`A search has at most ${MAX_SEARCH_LENGTH} characters.`);
  }
  return present(input ?? {});
}

builder.prismaObjectFields(Device, (t) => ({
  coredumps: t.connection({
    type: Coredump,
    description: 'Newest first. One SQL statement, however many devices a request asks it of.',
    args: { filter: t.arg({ type: CoredumpFilterInput }) },
    resolve: ({ id: deviceId }, { filter: input, ...args }, { loaders }) => {
      const filter = toFilter(input);
      return page(
        args,
        (window) => loaders.coredumps.ofDevice.load({ deviceId, filter, window }),
        () => loaders.coredumps.countOfDevice.load({ deviceId, filter }),
      );
    },
  }),
  coredump: t.field({
    type: Coredump,
    nullable: true,
    description: 'Null unless the dump is this device’s.',
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
  coredumps: t.connection({
    type: Coredump,
    description: 'The whole fleet’s, newest first.',
    args: { filter: t.arg({ type: CoredumpFilterInput }) },
    resolve: (_, { filter: input, ...args }, { db }) => {
      const filter = toFilter(input);
      return page(
        args,
        (window) => listCoredumps(db, filter, window),
        () => countCoredumps(db, filter),
      );
    },
  }),
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

builder.mutationFields((t) => ({
  deleteCoredump: t.id({
    description: 'Row, then file. With `deviceId`: NOT_FOUND unless the dump is that device’s.',
    args: { id: t.arg.id({ required: true }), deviceId: t.arg.id() },
    resolve: async (_, { id, deviceId }, { services }) => {
      const coredumpId = requireId('Coredump', id);
      await services.coredumps.delete(
        coredumpId,
        deviceId == null ? undefined : requireId('Device', deviceId),
      );
      return encodeGlobalId('Coredump', coredumpId);
    },
  }),
  deleteCoredumps: t.int({
    description: 'All of a device; how many.',
    args: { deviceId: t.arg.id({ required: true }) },
    resolve: (_, { deviceId }, { services }) => services.coredumps.deleteAllOf(requireId('Device', deviceId)),
  }),
  reparseCoredump: t.field({
    type: Coredump,
    description: 'Back to PENDING and queued.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, { id }, { services }) => services.coredumps.reparse(requireId('Coredump', id)),
  }),
  reparseCoredumps: t.int({
    description: 'Every dump of the filter; how many.',
    args: { filter: t.arg({ type: CoredumpFilterInput, required: true }) },
    resolve: (_, { filter }, { services }) => services.coredumps.reparseAll(toFilter(filter)),
  }),
}));

builder.subscriptionField('parseStatus', (t) =>
  t.field({
    type: Coredump,
    description:
      'The dump as it is after each change of its status, its arrival included. With `coredumpId` the current state ' +
      'comes first; with neither argument, every dump of the fleet.',
    args: { coredumpId: t.arg.id(), deviceId: t.arg.id() },
    subscribe: (_, { coredumpId, deviceId }, context) => followParseStatus(context, coredumpId, deviceId),
    resolve: (dump, _, context) => {
      context.renewLoaders();
      return dump;
    },
  }),
);

type MaybeId = string | number | null | undefined;

async function followParseStatus(
  { services: { coredumps } }: Context,
  coredumpId: MaybeId,
  deviceId: MaybeId,
): Promise<AsyncIterable<CoredumpRow>> {
  const filter = {
    ...(coredumpId == null ? {} : { coredumpId: requireId('Coredump', coredumpId) }),
    ...(deviceId == null ? {} : { deviceId: requireId('Device', deviceId) }),
  };
  // Listening begins before the current state is read, so no change falls between the two.
  const changes = coredumps.events.subscribe(filter);
  if (filter.coredumpId === undefined) return changes;
  const current = await coredumps.get(filter.coredumpId);
  if (current === null || (filter.deviceId !== undefined && current.deviceId !== filter.deviceId)) {
    await changes.return?.();
    throw notFound('core dump', String(coredumpId).slice(0, 64));
  }
  return startingWith(current, changes);
}

/** An iterator by hand: a generator that was never started could not pass its `return` on, and would leak. */
function startingWith<Item>(first: Item, rest: AsyncIterableIterator<Item>): AsyncIterableIterator<Item> {
  let isFirst = true;
  return {
    async next() {
      if (!isFirst) return rest.next();
      isFirst = false;
      return { done: false, value: first };
    },
    async return() {
      await rest.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
