import { seriesRange, zeroFilled } from '../../crash-groups/crash-series.js';
import { velocityOf } from '../../crash-groups/decayed-rate.js';
import type { CrashVariantRow } from '../../crash-groups/loaders.js';
import { type CrashGroupRow, GROUP_ORDERS, GROUP_STATES } from '../../crash-groups/types.js';
import { decodeGlobalId } from '../../global-ids.js';
import { seriesCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { Coredump, CoredumpConnection } from './coredump.js';
import { CrashKind } from './crash-kind.js';
import { CrashBucket, CrashFilterInput, TIME_SERIES, TimeUnit } from './crash-series.js';
import { Device, DeviceConnection } from './device.js';
import { DeviceModel } from './device-model.js';
import { Firmware } from './firmware.js';
import { followGroup } from './follow-group.js';
import { groupPage } from './group-pages.js';
import { checkedFilter, requireId, rowIdOf } from './inputs.js';
import { page } from './pages.js';

const CrashGroupState = builder.enumType('CrashGroupState', { values: GROUP_STATES });

const CrashGroupOrder = builder.enumType('CrashGroupOrder', {
  description:
    'Highest first: crashes, devices, time of the last crash, or crashes a day with recent ones counting most.',
  values: GROUP_ORDERS,
});

const CrashVariant = builder.objectRef<CrashVariantRow>('CrashVariant').implement({
  description: 'A model, version and chip that a group was seen on.',
  fields: (t) => ({
    model: t.field({
      type: DeviceModel,
      nullable: true,
      description: 'Null: the model was deleted since.',
      resolve: ({ modelId }, _, { loaders }) => loaders.devices.modelById.load(modelId),
    }),
    firmwareVersion: t.exposeString('firmwareVersion'),
    chip: t.exposeString('chip'),
    count: t.exposeInt('count'),
    firstSeenAt: t.expose('firstSeenAt', { type: 'DateTime' }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime' }),
  }),
});

export const CrashGroup = builder.objectRef<CrashGroupRow>('CrashGroup');

builder.node(CrashGroup, {
  description: 'Crashes at the same place: one bug, as far as a stack can tell.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.crashGroups.byId.load(rowIdOf(id)),
  fields: (t) => ({
    title: t.exposeString('title', { description: '“LoadProhibited in sensor_read (sensor.c)”' }),
    kind: t.expose('kind', { type: CrashKind, description: 'Of the first crash.' }),
    reason: t.exposeString('reason', { description: 'Of the first crash, as in its report.' }),
    reasonClass: t.exposeString('reasonClass', { description: 'The reason without its addresses.' }),
    culpritFunction: t.exposeString('culpritFunction', {
      nullable: true,
      description: 'Of the innermost frame that is neither in ROM nor part of the panic handler.',
    }),
    culpritFile: t.exposeString('culpritFile', { nullable: true, description: 'Without its folders.' }),
    state: t.expose('state', { type: CrashGroupState }),
    resolvedAt: t.expose('resolvedAt', { type: 'DateTime', nullable: true }),
    resolvedInVersion: t.exposeString('resolvedInVersion', {
      nullable: true,
      description: 'The version that has the fix; null in a resolved group means the next one.',
    }),
    isRegression: t.boolean({
      description: 'It was resolved and crashed again. Stays true until a person changes the state.',
      resolve: ({ regressedAt }) => regressedAt !== null,
    }),
    regressedAt: t.expose('regressedAt', { type: 'DateTime', nullable: true }),
    regressedInVersion: t.exposeString('regressedInVersion', { nullable: true }),
    assignee: t.exposeString('assignee', { nullable: true }),
    note: t.exposeString('note', { nullable: true }),
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
    firstSeenAt: t.expose('firstSeenAt', { type: 'DateTime' }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime' }),
    velocity: t.float({
      description: 'Crashes a day, recent ones counting most: each day halves the weight of a crash.',
      resolve: ({ heat }, _, { services }) => velocityOf(heat, services.crashGroups.now()),
    }),
    fingerprints: t.field({
      type: ['String'],
      description: 'One, or several after a merge.',
      resolve: ({ id }, _, { loaders }) => loaders.crashGroups.fingerprints.load(id),
    }),
    variants: t.field({
      type: [CrashVariant],
      description: 'One for each model, version and chip that it was seen on; the most crashes first.',
      resolve: ({ id }, _, { loaders }) => loaders.crashGroups.variants.load(id),
    }),
    models: t.field({
      type: [DeviceModel],
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
      resolve: async ({ id }, _, { loaders }) =>
        distinct((await loaders.crashGroups.variants.load(id)).map(({ firmwareVersion }) => firmwareVersion)),
    }),
    chips: t.field({
      type: ['String'],
      resolve: async ({ id }, _, { loaders }) =>
        distinct((await loaders.crashGroups.variants.load(id)).map(({ chip }) => chip)),
    }),
    crashes: t.field({
      type: [CrashBucket],
      description: TIME_SERIES,
      complexity: seriesCost,
      args: {
        by: t.arg({ type: TimeUnit, required: true }),
        from: t.arg({ type: 'DateTime' }),
        to: t.arg({ type: 'DateTime' }),
        filter: t.arg({ type: CrashFilterInput }),
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
        description: 'Dumps that are still stored, newest first.',
        resolve: ({ id }, args, { loaders }) =>
          page(
            args,
            (window) => loaders.crashGroups.coredumps.load({ id, window }),
            () => loaders.crashGroups.keptCount.load(id),
          ),
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

const CrashGroupFilterInput = builder.inputType('CrashGroupFilter', {
  description:
    'Fields that are left out do not filter. A list means "one of". Model, version and chip must match in one crash.',
  fields: (t) => ({
    state: t.field({ type: [CrashGroupState] }),
    kind: t.field({ type: [CrashKind] }),
    reasonClass: t.stringList({}),
    assignee: t.stringList({}),
    modelCode: t.stringList({}),
    firmwareVersion: t.stringList({}),
    chip: t.stringList({}),
    deviceKey: t.stringList({}),
    fingerprint: t.stringList({}),
    isRegression: t.boolean({}),
    firstSeenAfter: t.field({ type: 'DateTime', description: 'Inclusive.' }),
    lastSeenAfter: t.field({ type: 'DateTime', description: 'Inclusive.' }),
    search: t.string({
      description:
        'All words must occur, in upper or lower case, in title, reason, culprit, assignee or note.',
    }),
  }),
});

builder.objectField(Device, 'crashGroups', (t) =>
  t.connection(
    {
      type: CrashGroup,
      description: 'Groups with a crash on this device, now or earlier.',
      args: { sort: t.arg({ type: CrashGroupOrder, defaultValue: 'COUNT' }) },
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
      args: { sort: t.arg({ type: CrashGroupOrder, defaultValue: 'COUNT' }) },
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
    description: 'Null until the dump is parsed, and for crashes without a fingerprint.',
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
      args: {
        filter: t.arg({ type: CrashGroupFilterInput }),
        sort: t.arg({ type: CrashGroupOrder, defaultValue: 'COUNT' }),
      },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const filter = checkedFilter(input ?? {});
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
    args: { id: t.arg.id({ required: true }) },
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
    args: { id: t.arg.id() },
    subscribe: (_, { id }, { services }) =>
      id == null ? services.crashGroups.follow({}) : followGroup(services, requireId('CrashGroup', id)),
    resolve: (group) => group,
  }),
);

function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
