import { decodeGlobalId } from '../../global-ids.js';
import { columnsOf } from '../limits/listed-fields.js';
import { arrivalPage } from './arrival-page.js';
import { builder } from './builder.js';
import { Coredump, CoredumpConnection } from './coredump.js';
import { CoredumpFilterInput, CoredumpOrder, toCoredumpFilter } from './coredump-filter.js';
import { Device } from './device.js';
import { Firmware } from './firmware.js';

const FILTER = { type: CoredumpFilterInput, description: 'Which dumps; all when left out.' } as const;
const ORDER = { type: CoredumpOrder, description: 'Newest first when left out.' } as const;

builder.objectFields(Device, (t) => ({
  coredumps: t.connection(
    {
      type: Coredump,
      description: 'Its stored dumps. One SQL statement, however many devices a request asks.',
      args: { filter: t.arg(FILTER), orderBy: t.arg(ORDER) },
      resolve: (device, { filter: input, ...args }, context, info) => {
        const { id: parentId } = device;
        const { loaders } = context;
        // Its dumps may be asked for their device.
        loaders.devices.byId.know(device);
        const filter = toCoredumpFilter(input, context);
        const columns = columnsOf(info);
        return arrivalPage(
          args,
          (window) => loaders.coredumps.ofDevice.load({ parentId, filter, window, columns }),
          () => loaders.coredumps.countOfDevice.load({ parentId, filter }),
        );
      },
    },
    CoredumpConnection,
  ),
  coredump: t.field({
    type: Coredump,
    nullable: true,
    description: 'One of its dumps; null unless the dump belongs to this device.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the dump.' }) },
    resolve: async (device, { id }, { loaders }) => {
      const coredumpId = decodeGlobalId('Coredump', String(id));
      const dump = coredumpId === null ? null : await loaders.coredumps.byId.load(coredumpId);
      return dump?.deviceId === device.id ? dump : null;
    },
  }),
  coredumpCount: t.int({
    description: 'Its stored dumps; crashes whose dumps were deleted do not count.',
    resolve: ({ id: parentId }, _, { loaders }) =>
      loaders.coredumps.countOfDevice.load({ parentId, filter: {} }),
  }),
  lastCoredump: t.field({
    type: Coredump,
    nullable: true,
    description: 'Its newest stored dump; null when none is stored.',
    resolve: async ({ id: parentId }, _, { loaders }) => {
      const [last] = await loaders.coredumps.ofDevice.load({ parentId, filter: {}, window: { take: 1 } });
      return last ?? null;
    },
  }),
}));

builder.objectField(Firmware, 'coredumps', (t) =>
  t.connection(
    {
      type: Coredump,
      description:
        'Stored dumps that were last parsed with this build. One SQL statement, however many builds a request asks.',
      args: { filter: t.arg(FILTER), orderBy: t.arg(ORDER) },
      resolve: ({ id: parentId }, { filter: input, ...args }, context, info) => {
        const { loaders } = context;
        const filter = toCoredumpFilter(input, context);
        const columns = columnsOf(info);
        return arrivalPage(
          args,
          (window) => loaders.coredumps.ofFirmware.load({ parentId, filter, window, columns }),
          () => loaders.coredumps.countOfFirmware.load({ parentId, filter }),
        );
      },
    },
    CoredumpConnection,
  ),
);

builder.queryFields((t) => ({
  coredumps: t.connection(
    {
      type: Coredump,
      description: 'Stored dumps of the whole fleet.',
      args: { filter: t.arg(FILTER), orderBy: t.arg(ORDER) },
      resolve: (_, { filter: input, ...args }, context) => {
        const { services } = context;
        const filter = toCoredumpFilter(input, context);
        return arrivalPage(
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
    description: 'The dump with this id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the dump.' }) },
    resolve: (_, { id }, { loaders }) => {
      const coredumpId = decodeGlobalId('Coredump', String(id));
      return coredumpId === null ? null : loaders.coredumps.byId.load(coredumpId);
    },
  }),
}));
