import { isRevoked } from '../../devices/service.js';
import type { DeviceRow } from '../../devices/types.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { DeviceModel, modelOf } from './device-model.js';
import { checkedFilter, present, requireId, rowIdOf } from './inputs.js';
import { page } from './pages.js';

export const Device = builder.objectRef<DeviceRow>('Device');

builder.node(Device, {
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.devices.byId.load(rowIdOf(id)),
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Unique, `[a-z0-9]{1,32}`; names its folder in the storage.' }),
    name: t.exposeString('name', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
    hasToken: t.boolean({
      description: 'False once its token was revoked, until the next rotation.',
      resolve: ({ tokenSha256 }) => !isRevoked(tokenSha256),
    }),
    tokenUsedAt: t.expose('tokenUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When one of its tokens was last used, accurate to some seconds.',
    }),
    previousTokenUntil: t.expose('previousTokenUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'The token before the last rotation works until then.',
    }),
    model: t.field({
      type: DeviceModel,
      resolve: modelOf,
    }),
  }),
});

export const DeviceConnection = builder.connectionObject({ type: Device, name: 'DeviceConnection' });

builder.objectField(DeviceModel, 'devices', (t) =>
  t.connection(
    {
      type: Device,
      description: 'Newest first.',
      resolve: ({ id }, args, { loaders }) =>
        page(
          args,
          (window) => loaders.devices.ofModel.load({ parentId: id, window }),
          () => loaders.devices.countOfModel.load(id),
        ),
    },
    DeviceConnection,
  ),
);

const DeviceFilterInput = builder.inputType('DeviceFilter', {
  fields: (t) => ({
    modelCode: t.stringList({}),
    search: t.string({ description: 'All words must occur, in upper or lower case, in key or name.' }),
  }),
});

builder.queryFields((t) => ({
  devices: t.connection(
    {
      type: Device,
      description: 'Newest first.',
      args: { filter: t.arg({ type: DeviceFilterInput }) },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const filter = checkedFilter(input ?? {});
        return page(
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
    args: { key: t.arg.string({ required: true }) },
    resolve: (_, { key }, { services }) => services.devices.get(key),
  }),
}));

const TOKEN = 'The device’s bearer token for uploads. Shown only here: the server keeps its hash.';

builder.relayMutationField(
  'createDevice',
  {
    inputFields: (t) => ({
      modelCode: t.string({ required: true }),
      key: t.string({ description: '1 to 32 of a-z and 0-9; eight random characters when left out.' }),
      name: t.string({}),
    }),
  },
  {
    resolve: (_, { input: { modelCode, key, name } }, { services }) =>
      services.devices.createDevice(present({ modelCode, key, name })),
  },
  {
    outputFields: (t) => ({
      device: t.field({ type: Device, resolve: ({ device }) => device }),
      token: t.exposeString('token', { description: TOKEN }),
    }),
  },
);

builder.relayMutationField(
  'rotateDeviceToken',
  {
    inputFields: (t) => ({
      id: t.id({ required: true }),
      graceSeconds: t.int({
        description: 'How long the old token still works: one day by default, at most 30 days.',
      }),
    }),
  },
  {
    description: 'A new token for the device. Tokens that are older than the last one stop working at once.',
    resolve: (_, { input: { id, graceSeconds } }, { services }) =>
      services.devices.rotateToken(requireId('Device', id), graceSeconds ?? undefined),
  },
  {
    outputFields: (t) => ({
      device: t.field({ type: Device, resolve: ({ device }) => device }),
      token: t.exposeString('token', { description: TOKEN }),
    }),
  },
);

builder.relayMutationField(
  'revokeDeviceToken',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    description: 'All tokens of the device stop working at once. `rotateDeviceToken` makes a new one.',
    resolve: (_, { input: { id } }, { services }) => services.devices.revokeToken(requireId('Device', id)),
  },
  { outputFields: (t) => ({ device: t.field({ type: Device, resolve: (device) => device }) }) },
);

builder.relayMutationField(
  'updateDevice',
  {
    description: 'Fields that are left out keep their values.',
    inputFields: (t) => ({
      id: t.id({ required: true }),
      name: t.string({ description: 'Null removes the name.' }),
      modelCode: t.string({}),
    }),
  },
  {
    resolve: (_, { input: { id, name, modelCode } }, { services }) =>
      services.devices.updateDevice(requireId('Device', id), {
        ...(name === undefined ? {} : { name }),
        ...(modelCode == null ? {} : { modelCode }),
      }),
  },
  { outputFields: (t) => ({ device: t.field({ type: Device, resolve: (device) => device }) }) },
);

builder.relayMutationField(
  'deleteDevice',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    description: 'Also deletes its dumps, rows and files.',
    resolve: async (_, { input: { id } }, { services }) => {
      const deviceId = requireId('Device', id);
      await services.devices.deleteDevice(deviceId);
      return { deletedDeviceId: encodeGlobalId('Device', deviceId) };
    },
  },
  { outputFields: (t) => ({ deletedDeviceId: t.exposeID('deletedDeviceId') }) },
);
