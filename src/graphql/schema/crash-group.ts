import { seriesRange, zeroFilled } from '../../crash-groups/crash-series.js';
import { velocityOf } from '../../crash-groups/decayed-rate.js';
import type { CrashVariantRow } from '../../crash-groups/loaders.js';
import type { CrashGroupRow } from '../../crash-groups/types.js';
import { decodeGlobalId, encodeGlobalId } from '../../global-ids.js';
import { seriesCost } from '../limits/field-costs.js';
import { arrivalPage } from './arrival-page.js';
import { builder } from './builder.js';
import { Coredump, CoredumpConnection } from './coredump.js';
import { CoredumpFilterInput, CoredumpOrder, toCoredumpFilter } from './coredump-filter.js';
import { CrashGroupFilterInput, CrashGroupState, groupFilter } from './crash-group-filter.js';
import { CrashKind } from './crash-kind.js';
import { CrashBucket, CrashFilterInput, TIME_SERIES, TIME_ZONE, TimeUnit } from './crash-series.js';
import { Device, DeviceConnection } from './device.js';
import { DeviceModel } from './device-model.js';
import { Firmware } from './firmware.js';
import { followGroup } from './follow-group.js';
import { CrashGroupOrder, groupPage, ORDERED_BY } from './group-pages.js';
import { checkedFilter, requireId, rowIdOf } from './inputs.js';
import { page } from './pages.js';

const CrashVariant = builder.objectRef<CrashVariantRow>('CrashVariant').implement({
  description: 'A model, version and chip that a group was seen on.',
  fields: (t) => ({
    model: t.field({
      type: DeviceModel,
      nullable: true,
      description: 'The model that the devices were of when they crashed. Null: it was deleted since.',
      resolve: ({ modelId }, _, { loaders }) => loaders.devices.modelById.load(modelId),
    }),
    firmwareVersion: t.exposeString('firmwareVersion', {
      description: 'The version of the crashed firmware.',
    }),
    chip: t.exposeString('chip', { description: 'The chip: `esp32c3`.' }),
    count: t.exposeInt('count', { description: 'Crashes on it, deleted dumps included.' }),
    firstSeenAt: t.expose('firstSeenAt', {
      type: 'DateTime',
      description: 'Upload of the first crash on it.',
    }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', description: 'Upload of the last crash on it.' }),
  }),
});

export const CrashGroup = builder.objectRef<CrashGroupRow>('CrashGroup');

builder.node(CrashGroup, {
  description: 'Crashes at the same place: one bug, as far as a stack can tell.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.crashGroups.byId.load(rowIdOf(id)),
  fields: (t) => ({
    title: t.exposeString('title', {
      description: 'What happened, and where: “LoadProhibited in sensor_read (sensor.c)”.',
    }),
    kind: t.expose('kind', { type: CrashKind, description: 'What happened, of the first crash.' }),
    reason: t.exposeString('reason', {
      description: 'The reason of the first crash, as in its report: `LoadProhibited at 0x00000010`.',
    }),
    reasonClass: t.exposeString('reasonClass', {
      description: 'The reason without its addresses: `LoadProhibited`, `abort`.',
    }),
    culpritFunction: t.exposeString('culpritFunction', {
      nullable: true,
      description:
        'Function of the innermost frame that is neither in ROM nor part of the panic handler. Null without symbols.',
    }),
    culpritFile: t.exposeString('culpritFile', {
      nullable: true,
      description: 'Source file of that frame, without its folders: `sensor.c`.',
    }),
    state: t.expose('state', { type: CrashGroupState, description: 'How far people have got with it.' }),
    resolvedAt: t.expose('resolvedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When a person resolved it; null when nobody has, and after it was opened again by a person.',
    }),
    resolvedInVersion: t.exposeString('resolvedInVersion', {
      nullable: true,
      description: 'The version that has the fix; null in a resolved group means the next one.',
    }),
    isRegression: t.boolean({
      description: 'It was resolved and crashed again. Stays true until a person changes the state.',
      resolve: ({ regressedAt }) => regressedAt !== null,
    }),
    regressedAt: t.expose('regressedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Upload of the crash that made it a regression; null when it is none.',
    }),
    regressedInVersion: t.exposeString('regressedInVersion', {
      nullable: true,
      description: 'Version of that crash.',
    }),
    assignee: t.exposeString('assignee', {
      nullable: true,
      description: 'Who looks after it, as people typed it: at most 200 characters. Null: nobody.',
    }),
    note: t.exposeString('note', {
      nullable: true,
      description: 'What people noted, plain text of at most 10,000 characters.',
    }),
    count: t.exposeInt('count', {
      description: 'Crashes ever seen; deleting dumps, by retention or by hand, does not lower it.',
    }),
    keptCount: t.int({
      description: 'Dumps of it that are still stored.',
      resolve: ({ id }, _, { loaders }) => loaders.crashGroups.keptCount.load(id),
    }),
    deviceCount: t.exposeInt('deviceCount', {
      description: 'Devices ever affected, deleted ones included.',
    }),
    firstSeenAt: t.expose('firstSeenAt', { type: 'DateTime', description: 'Upload of the first crash.' }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', description: 'Upload of the last crash.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When a crash was counted, or a person or a regrouping last changed it.',
    }),
    velocity: t.float({
      description: 'Crashes a day, recent ones counting most: each day halves the weight of a crash.',
      resolve: ({ heat }, _, { services }) => velocityOf(heat, services.crashGroups.now()),
    }),
    mergedIds: t.field({
      type: ['ID'],
      description:
        'Global ids that groups had which became part of it. `node` and `crashGroup` answer them with this group.',
      resolve: async ({ id }, _, { loaders }) =>
        (await loaders.crashGroups.mergedIds.load(id)).map((each) => encodeGlobalId('CrashGroup', each)),
    }),
    fingerprints: t.field({
      type: ['String'],
      description: 'The fingerprints of its crashes: one, or several after a merge.',
      resolve: ({ id }, _, { loaders }) => loaders.crashGroups.fingerprints.load(id),
    }),
    variants: t.field({
      type: [CrashVariant],
      description: 'One for each model, version and chip that it was seen on; the most crashes first.',
      resolve: ({ id }, _, { loaders }) => loaders.crashGroups.variants.load(id),
    }),
    models: t.field({
      type: [DeviceModel],
      description: 'Models that it was seen on.',
      resolve: async ({ id }, _, { loaders }) => {
        const variants = await loaders.crashGroups.variants.load(id);
        const models = await Promise.all(
          distinct(variants.map(({ modelId }) => modelId)).map((modelId) =>
            loaders.devices.modelById.load(modelId),
          ),
        );
        return models.filter((model) => model !== null);
      },
    }),
    firmwareVersions: t.field({
      type: ['String'],
      description: 'Versions that it was seen in, the most crashes first.',
      resolve: async ({ id }, _, { loaders }) =>
        distinct((await loaders.crashGroups.variants.load(id)).map(({ firmwareVersion }) => firmwareVersion)),
    }),
    chips: t.field({
      type: ['String'],
      description: 'Chips that it was seen on, the most crashes first.',
      resolve: async ({ id }, _, { loaders }) =>
        distinct((await loaders.crashGroups.variants.load(id)).map(({ chip }) => chip)),
    }),
    crashes: t.field({
      type: [CrashBucket],
      description: `Its crashes over time. ${TIME_SERIES}`,
      complexity: seriesCost,
      args: {
        unit: t.arg({ type: TimeUnit, required: true, description: 'Hours or days.' }),
        from: t.arg({ type: 'DateTime', description: 'Inclusive; its hour or day is the first.' }),
        to: t.arg({
          type: 'DateTime',
          description: 'Exclusive. The current hour or day is the last when left out.',
        }),
        timeZone: t.arg.string(TIME_ZONE),
        filter: t.arg({ type: CrashFilterInput, description: 'Only these crashes.' }),
      },
      resolve: async ({ id }, { filter: input, ...args }, { loaders, services }) => {
        const range = seriesRange(args, services.crashGroups.now());
        const filter = await loaders.crashGroups.seriesFilter(checkedFilter(input ?? {}));
        return zeroFilled(range, await loaders.crashGroups.series.load({ id, range, filter }));
      },
    }),
    coredumps: t.connection(
      {
        type: Coredump,
        description:
          'Its dumps that are still stored. One SQL statement, however many groups a request asks.',
        args: {
          filter: t.arg({ type: CoredumpFilterInput, description: 'Which dumps; all when left out.' }),
          orderBy: t.arg({ type: CoredumpOrder, description: 'Newest first when left out.' }),
        },
        resolve: ({ id: parentId }, { filter: input, ...args }, context) => {
          const { loaders } = context;
          const filter = toCoredumpFilter(input, context);
          return arrivalPage(
            args,
            (window) => loaders.crashGroups.coredumps.load({ parentId, filter, window }),
            () =>
              input == null
                ? loaders.crashGroups.keptCount.load(parentId)
                : loaders.crashGroups.countOfCoredumps.load({ parentId, filter }),
          );
        },
      },
      CoredumpConnection,
    ),
    devices: t.connection(
      {
        type: Device,
        description: 'Affected devices that still exist, newest device first.',
        resolve: ({ id }, args, { loaders }) =>
          page(
            args,
            (window) => loaders.crashGroups.devices.load({ id, window }),
            () => loaders.crashGroups.presentDeviceCount.load(id),
          ),
      },
      DeviceConnection,
    ),
  }),
});

export const CrashGroupConnection = builder.connectionObject({
  type: CrashGroup,
  name: 'CrashGroupConnection',
});

builder.objectField(Device, 'crashGroups', (t) =>
  t.connection(
    {
      type: CrashGroup,
      description: 'Groups with a crash on this device, now or earlier.',
      args: { orderBy: t.arg({ type: CrashGroupOrder, description: ORDERED_BY }) },
      resolve: ({ id }, args, { loaders }) =>
        groupPage(
          args,
          (window) => loaders.crashGroups.of.load({ parent: 'device', id, window }),
          () => loaders.crashGroups.countOf.load({ parent: 'device', id }),
        ),
    },
    CrashGroupConnection,
  ),
);

builder.objectField(Firmware, 'crashGroups', (t) =>
  t.connection(
    {
      type: CrashGroup,
      description: 'Groups that were ever seen in this version of the model, in any of its builds.',
      args: { orderBy: t.arg({ type: CrashGroupOrder, description: ORDERED_BY }) },
      resolve: ({ id }, args, { loaders }) =>
        groupPage(
          args,
          (window) => loaders.crashGroups.of.load({ parent: 'firmware', id, window }),
          () => loaders.crashGroups.countOf.load({ parent: 'firmware', id }),
        ),
    },
    CrashGroupConnection,
  ),
);

builder.objectField(Coredump, 'crashGroup', (t) =>
  t.field({
    type: CrashGroup,
    nullable: true,
    description: 'Null until the dump is read, and for a crash without a report.',
    resolve: async ({ id }, _, { loaders }) => {
      const groupId = await loaders.crashGroups.ofCoredump.load(id);
      return groupId === null ? null : loaders.crashGroups.byId.load(groupId);
    },
  }),
);

builder.queryFields((t) => ({
  crashGroups: t.connection(
    {
      type: CrashGroup,
      description: 'The fleet’s bugs.',
      args: {
        filter: t.arg({ type: CrashGroupFilterInput, description: 'Only these groups.' }),
        orderBy: t.arg({ type: CrashGroupOrder, description: ORDERED_BY }),
      },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const filter = groupFilter(input);
        return groupPage(
          args,
          (window) => services.crashGroups.list(filter, window),
          () => services.crashGroups.count(filter),
        );
      },
    },
    CrashGroupConnection,
  ),
  crashGroup: t.field({
    type: CrashGroup,
    nullable: true,
    description:
      'The group with this id, or the one that took it in: its `id` is another one then. Null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the group.' }) },
    resolve: (_, { id }, { loaders }) => {
      const groupId = decodeGlobalId('CrashGroup', String(id));
      return groupId === null ? null : loaders.crashGroups.byId.load(groupId);
    },
  }),
}));

builder.subscriptionField('crashGroupUpdated', (t) =>
  t.field({
    type: CrashGroup,
    description:
      'A group after each change: a counted crash, a state that somebody set, a merge. Without `id` all groups, new ' +
      'ones included. With `id` the subscription completes when the group is deleted or merged into another.',
    args: { id: t.arg.id({ description: 'Only this group, or the one that took it in.' }) },
    subscribe: async (_, { id }, { services }) => {
      if (id == null) return services.crashGroups.follow({});
      const groupId = await services.crashGroups.currentId(requireId('CrashGroup', id));
      return followGroup(services, groupId);
    },
    resolve: (group) => group,
  }),
);

function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
