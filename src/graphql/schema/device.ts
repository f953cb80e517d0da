import type { DeviceWindow } from '../../devices/read.js';
import { firstDayOf, silentSince } from '../../devices/silent.js';
import { hasToken } from '../../devices/tokens.js';
import {
  type DeviceApproval as Approval,
  DEVICE_APPROVALS,
  type DEVICE_ORDERS,
  type DeviceFilter,
  type DeviceOrder,
  type DeviceRow,
  NEVER,
} from '../../devices/types.js';
import { builder } from './builder.js';
import { DeviceModel, modelOf } from './device-model.js';
import { checkedFilter, requireId, rowIdOf } from './inputs.js';
import { OrderDirection } from './order.js';
import { byNumber, byText, byTime, type OrderFields, orderedPage } from './ordered-pages.js';
import type { PageArguments } from './pages.js';

const DeviceApproval = builder.enumType('DeviceApproval', {
  description:
    'Whether a device may upload. Only a device that an ingest key registered with `requiresApproval` waits for it.',
  values: {
    APPROVED: { description: 'It may upload, and its crashes are counted.' },
    PENDING: {
      description:
        'It waits for an admin. Its dumps are kept and parsed, a few of the newest; they are in no crash group, counted ' +
        'nowhere and raise no alert until the device is approved.',
    },
    REJECTED: { description: 'Its uploads are refused. What it sent before is kept.' },
  } satisfies Record<Approval, { description: string }>,
});

export const Device = builder.objectRef<DeviceRow>('Device');

builder.node(Device, {
  description:
    'A registered device of the fleet. It uploads its dumps with a token of its own, or with an ingest key of its model.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.devices.byId.load(rowIdOf(id)),
  fields: (t) => ({
    key: t.exposeString('key', {
      description: 'Unique, `[a-z0-9]{1,32}`: names the device in uploads, and its folder in the storage.',
    }),
    name: t.exposeString('name', {
      nullable: true,
      description: 'For people, 1 to 200 characters on one line. Null: only the key is known.',
    }),
    serial: t.exposeString('serial', {
      nullable: true,
      description:
        'What its maker printed on it, `[A-Za-z0-9._:-]{1,64}`: unique within its model. Null: not known.',
    }),
    approval: t.field({
      type: DeviceApproval,
      description: 'Whether it may upload.',
      resolve: ({ approval }) => DEVICE_APPROVALS.find((known) => known === approval) ?? 'PENDING',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description:
        'When a person last changed its name, serial, model, token or approval. Uploads do not change it.',
    }),
    hasToken: t.boolean({
      description:
        'Whether it has a token of its own. False for a device that registered itself, and once its token was revoked, ' +
        'until the next rotation. A device with a token cannot use an ingest key.',
      resolve: ({ tokenSha256 }) => hasToken(tokenSha256),
    }),
    tokenUsedAt: t.expose('tokenUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When one of its tokens was last used, accurate to some seconds. Null: never.',
    }),
    previousTokenUntil: t.expose('previousTokenUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'The token before the last rotation works until then. Null: there is none.',
    }),
    crashCount: t.exposeInt('crashCount', {
      description:
        'Crashes since it was registered: every dump that it uploaded. Repeated uploads of a dump count once, and ' +
        'deleted dumps still count; `coredumpCount` is the number of dumps that are stored.',
    }),
    lastCrashAt: t.expose('lastCrashAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When its last dump was uploaded, also where that dump was deleted since. Null: it never crashed.',
    }),
    model: t.field({
      type: DeviceModel,
      description: 'The product that it is; its builds are looked up there.',
      resolve: modelOf,
    }),
  }),
});

export const DeviceConnection = builder.connectionObject({
  type: Device,
  name: 'DeviceConnection',
  description: 'One page of a list of devices.',
});

const DeviceOrderField = builder.enumType('DeviceOrderField', {
  description: 'What a list of devices is sorted by. Values may be added.',
  values: {
    CREATED_AT: { description: 'When the device was registered.' },
    KEY: { description: 'Its key, in the order of the database’s text.' },
    NAME: { description: 'Its name, or its key where it has none, in upper or lower case.' },
    CRASH_COUNT: { description: 'Its `crashCount`.' },
    LAST_CRASH_AT: { description: 'Its `lastCrashAt`; devices that never crashed come before all others.' },
    LAST_SEEN_AT: {
      description: 'Its `lastSeenAt`; devices that were never heard of come before all others.',
    },
  } satisfies Record<(typeof DEVICE_ORDERS)[number], { description: string }>,
});

const DeviceOrderInput = builder.inputType('DeviceOrder', {
  description: 'How a list of devices is sorted. Among equal values the newest device has the highest place.',
  fields: (t) => ({
    field: t.field({ type: DeviceOrderField, required: true, description: 'What is compared.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'Highest first, unless told otherwise.',
    }),
  }),
});

const ORDER_FIELDS: OrderFields<DeviceRow, DeviceOrder['field']> = {
  CREATED_AT: byNumber(({ id }) => id),
  KEY: byText(({ key }) => key),
  NAME: byText(({ key, name }) => name ?? key),
  CRASH_COUNT: byNumber(({ crashCount }) => crashCount),
  LAST_CRASH_AT: byTime(({ lastCrashAt }) => lastCrashAt ?? NEVER),
  LAST_SEEN_AT: byTime(({ lastSeenAt }) => lastSeenAt ?? NEVER),
};

const NEWEST_FIRST: DeviceOrder = { field: 'CREATED_AT', direction: 'DESC' };

/** A page of devices, the newest first. */
export const devicesPage = (
  args: PageArguments & { orderBy?: DeviceOrder | null | undefined },
  list: (window: DeviceWindow) => Promise<DeviceRow[]>,
  totalCount: () => number | Promise<number>,
) => orderedPage({ ...args, orderBy: args.orderBy ?? NEWEST_FIRST }, ORDER_FIELDS, list, totalCount);

const ORDER_BY = 'By default the newest device comes first.';

builder.objectFields(DeviceModel, (t) => ({
  devices: t.connection(
    {
      type: Device,
      description: 'Its devices, the newest first unless sorted otherwise.',
      args: { orderBy: t.arg({ type: DeviceOrderInput, description: ORDER_BY }) },
      resolve: ({ id: modelId }, args, { loaders }) =>
        devicesPage(
          args,
          (window) => loaders.devices.ofModel.load({ modelId, window }),
          () => loaders.devices.countOfModel.load(modelId),
        ),
    },
    DeviceConnection,
  ),
  deviceCount: t.int({
    description: 'Number of its devices. Costs one SQL statement for all models of an answer.',
    resolve: ({ id }, _, { loaders }) => loaders.devices.countOfModel.load(id),
  }),
}));

const DeviceFilterInput = builder.inputType('DeviceFilter', {
  description:
    'All given fields must match. Fields that are left out or null do not filter; a list means "one of".',
  fields: (t) => ({
    modelCode: t.stringList({ description: 'Codes of models: `["thermostat"]`.' }),
    key: t.stringList({ description: 'Whole keys of devices.' }),
    serial: t.stringList({ description: 'Whole serials of devices.' }),
    approval: t.field({
      type: [DeviceApproval],
      description: '`[PENDING]`: those that wait for an admin.',
    }),
    ingestKeyId: t.idList({
      description: 'It was registered by one of these ingest keys. NOT_FOUND for another id.',
    }),
    search: t.string({
      description:
        'All words must occur, in upper or lower case, in key, serial or name. At most 200 characters and 10 words.',
    }),
    createdAfter: t.field({ type: 'DateTime', description: 'Registered then or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Registered before then.' }),
    lastCrashAfter: t.field({ type: 'DateTime', description: 'The last crash was then or later.' }),
    lastCrashBefore: t.field({
      type: 'DateTime',
      description: 'The last crash was before then. Devices that never crashed do not match.',
    }),
    lastSeenAfter: t.field({ type: 'DateTime', description: 'It was last heard of then or later.' }),
    lastSeenBefore: t.field({
      type: 'DateTime',
      description: 'It was last heard of before then. Devices that were never heard of do not match.',
    }),
    silentForDays: t.int({
      description:
        'It reports boots, is approved, and was not heard of for this many days: 1 to 365. Devices that never reported a boot ' +
        'do not match: nobody knows how often they should be heard of.',
    }),
    runningVersion: t.stringList({ description: 'Its last boot report named one of these versions.' }),
    unreportedCrashDays: t.int({
      description:
        'In this many days, today included, more resets of it were crashes than crashes arrived from it: 1 to 180.',
    }),
    hasCrashed: t.boolean({ description: 'True: it crashed at least once. False: it never did.' }),
    firmwareVersion: t.stringList({ description: 'It crashed at least once with one of these versions.' }),
    crashGroupId: t.idList({
      description: 'It crashed at least once in one of these groups. NOT_FOUND for another id.',
    }),
  }),
});

builder.queryFields((t) => ({
  devices: t.connection(
    {
      type: Device,
      description: 'All devices, the newest first unless sorted otherwise.',
      args: {
        filter: t.arg({ type: DeviceFilterInput, description: 'Which devices; all by default.' }),
        orderBy: t.arg({ type: DeviceOrderInput, description: ORDER_BY }),
      },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const filter = toDeviceFilter(input, services.crashGroups.now());
        return devicesPage(
          args,
          (window) => services.devices.list(filter, window),
          () => services.devices.count(filter),
        );
      },
    },
    DeviceConnection,
  ),
  device: t.field({
    type: Device,
    nullable: true,
    description: 'The device with this key; null when there is none.',
    args: { key: t.arg.string({ required: true, description: 'Its whole key.' }) },
    resolve: (_, { key }, { services }) => services.devices.get(key),
  }),
}));

/** @throws DomainError BAD_USER_INPUT for a filter that is too large, NOT_FOUND for an id of another type */
function toDeviceFilter(
  input: typeof DeviceFilterInput.$inferInput | null | undefined,
  now: Date,
): DeviceFilter {
  const { crashGroupId, ingestKeyId, silentForDays, unreportedCrashDays, ...filter } = checkedFilter(
    input ?? {},
  );
  return {
    ...filter,
    ...(silentForDays === undefined
      ? {}
      : { silentSince: silentSince(silentForDays, now, 'filter.silentForDays') }),
    ...(unreportedCrashDays === undefined
      ? {}
      : { unreportedCrashSinceDay: firstDayOf(unreportedCrashDays, now, 'filter.unreportedCrashDays') }),
    ...(crashGroupId === undefined
      ? {}
      : { crashGroupId: crashGroupId.map((id) => requireId('CrashGroup', id, 'filter.crashGroupId')) }),
    ...(ingestKeyId === undefined
      ? {}
      : { ingestKeyId: ingestKeyId.map((id) => requireId('IngestKey', id, 'filter.ingestKeyId')) }),
  };
}
