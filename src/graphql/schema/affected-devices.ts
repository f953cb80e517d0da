import {
  type AFFECTED_ORDERS,
  type AffectedDeviceRow,
  NO_CRASH_STORED,
} from '../../crash-groups/affected-devices.js';
import { notFound } from '../../errors.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { Device } from './device.js';
import { OrderDirection } from './order.js';
import { byNumber, byTime, type OrderFields, orderedPage } from './ordered-pages.js';

const AffectedDevice = builder.objectRef<AffectedDeviceRow>('AffectedDevice').implement({
  description: 'A device with crashes of a group.',
  fields: (t) => ({
    device: t.field({
      type: Device,
      description: 'The device.',
      resolve: async ({ id }, _, { loaders }) => {
        const device = await loaders.devices.byId.load(id);
        if (device === null) throw notFound('device', id);
        return device;
      },
    }),
    count: t.exposeInt('count', {
      description: 'Its crashes of the group; deleting dumps does not lower it.',
    }),
    lastCrashAt: t.expose('lastCrashAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its newest stored dump of the group arrived. Null when none is stored any more.',
    }),
  }),
});

const AffectedDeviceOrderField = builder.enumType('AffectedDeviceOrderField', {
  description: 'What the devices of a group are sorted by. Values may be added.',
  values: {
    COUNT: { description: 'Their crashes of the group.' },
    LAST_CRASH_AT: { description: 'Their `lastCrashAt`; those without one come before all others.' },
  } satisfies Record<(typeof AFFECTED_ORDERS)[number], { description: string }>,
});

const AffectedDeviceOrder = builder.inputType('AffectedDeviceOrder', {
  description: 'Order of the devices of a group. Without it: the most crashes first.',
  fields: (t) => ({
    field: t.field({ type: AffectedDeviceOrderField, required: true, description: 'What is compared.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'DESC when left out: the highest or newest first.',
    }),
  }),
});

const FIELDS: OrderFields<AffectedDeviceRow, (typeof AFFECTED_ORDERS)[number]> = {
  COUNT: byNumber(({ count }) => count),
  LAST_CRASH_AT: byTime(({ lastCrashAt }) => lastCrashAt ?? NO_CRASH_STORED),
};

builder.objectField(CrashGroup, 'affectedDevices', (t) =>
  t.connection(
    {
      type: AffectedDevice,
      description: 'Its devices that still exist, with their crashes. `deviceCount` counts deleted ones too.',
      args: {
        orderBy: t.arg({ type: AffectedDeviceOrder, description: 'The most crashes first when left out.' }),
      },
      resolve: ({ id: parentId }, { orderBy, ...args }, { loaders }) =>
        orderedPage(
          { ...args, orderBy: orderBy ?? { field: 'COUNT', direction: 'DESC' } },
          FIELDS,
          (window) => loaders.crashGroups.affected.load({ parentId, window }),
          () => loaders.crashGroups.presentDeviceCount.load(parentId),
        ),
    },
    { name: 'AffectedDeviceConnection' },
    { name: 'AffectedDeviceConnectionEdge' },
  ),
);
