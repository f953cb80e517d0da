import type { IngestKeyRow } from '../../devices/types.js';
import { builder } from './builder.js';
import { Device } from './device.js';
import { DeviceModel, modelOf } from './device-model.js';
import { present, requireId, rowIdOf } from './inputs.js';
import { page } from './pages.js';

const IngestKey = builder.objectRef<IngestKeyRow>('IngestKey');

builder.node(IngestKey, {
  description:
    'One credential for all devices of a model. A device that sends it with an unknown serial is registered. It may upload ' +
    'crashes and boot reports, and nothing else. The key itself is shown once, when it is created.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.devices.ingestKeyById.load(rowIdOf(id)),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people: 1 to 200 characters on one line.' }),
    model: t.field({
      type: DeviceModel,
      description: 'The model of the devices that it registers.',
      resolve: modelOf,
    }),
    hint: t.exposeString('hint', {
      description: 'The last four characters of the key, by which people recognize it: `x7Qa`.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    createdBy: t.exposeString('createdBy', {
      description: 'Who created it, named as in the audit log.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a device last used it, accurate to some seconds. Null: never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked: requests with it have been refused since. Null: it is valid.',
    }),
    newDevicesPerHour: t.exposeInt('newDevicesPerHour', {
      description:
        'How many unknown serials it registers within an hour, over all servers; one more gets 429. Known devices are not ' +
        'limited by it.',
    }),
    requiresApproval: t.exposeBoolean('requiresApproval', {
      description: 'Devices that it registers are PENDING until an admin approves or rejects them.',
    }),
    deviceCount: t.int({
      description: 'Devices that it registered and that were not deleted. One SQL statement for all keys.',
      resolve: ({ id }, _, { loaders }) => loaders.devices.countOfIngestKey.load(id),
    }),
  }),
});

const IngestKeyConnection = builder.connectionObject({
  type: IngestKey,
  name: 'IngestKeyConnection',
  description: 'One page of a list of ingest keys.',
});

builder.objectField(Device, 'ingestKey', (t) =>
  t.field({
    type: IngestKey,
    nullable: true,
    description: 'The ingest key that registered it. Null: a person or program registered it.',
    resolve: ({ ingestKeyId }, _, { loaders }) =>
      ingestKeyId === null ? null : loaders.devices.ingestKeyById.load(ingestKeyId),
  }),
);

builder.objectField(DeviceModel, 'ingestKeys', (t) =>
  t.connection(
    {
      type: IngestKey,
      description: 'Its ingest keys, the newest first, also those that were revoked.',
      resolve: ({ id }, args, { loaders }) =>
        page(
          args,
          (window) => loaders.devices.ingestKeysOfModel.load({ parentId: id, window }),
          () => loaders.devices.countIngestKeysOfModel.load(id),
        ),
    },
    IngestKeyConnection,
  ),
);

builder.queryField('ingestKeys', (t) =>
  t.connection(
    {
      type: IngestKey,
      description: 'All ingest keys, the newest first, also those that were revoked.',
      args: { modelCode: t.arg.string({ description: 'Only keys of the model with this code.' }) },
      resolve: (_, { modelCode, ...args }, { services }) => {
        const filter = present({ modelCode });
        return page(
          args,
          (window) => services.ingestKeys.list(filter, window),
          () => services.ingestKeys.count(filter),
        );
      },
    },
    IngestKeyConnection,
  ),
);

builder.relayMutationField(
  'createIngestKey',
  {
    description: 'Input of `createIngestKey`.',
    inputFields: (t) => ({
      modelCode: t.string({ required: true, description: 'Code of the model, which must exist.' }),
      name: t.string({
        required: true,
        description: 'For people: 1 to 200 characters on one line. `Production line 2`.',
      }),
      newDevicesPerHour: t.int({
        defaultValue: 100,
        description: 'How many unknown serials it may register within an hour: 1 to 1000000.',
      }),
      requiresApproval: t.boolean({
        defaultValue: false,
        description: 'True: devices that it registers wait for `approveDevice`.',
      }),
    }),
  },
  {
    description:
      'Creates a key for all devices of a model, to be flashed into the product. CONFLICT when the model has 100 keys that ' +
      'are not revoked.',
    resolve: (_, { input: { modelCode, name, newDevicesPerHour, requiresApproval } }, { services }) =>
      services.ingestKeys.create({
        modelCode,
        name,
        ...present({ newDevicesPerHour, requiresApproval }),
      }),
  },
  {
    description: 'Answer of `createIngestKey`.',
    outputFields: (t) => ({
      ingestKey: t.field({
        type: IngestKey,
        description: 'The new key, without its secret.',
        resolve: ({ ingestKey }) => ingestKey,
      }),
      key: t.exposeString('key', {
        description:
          'The key, `cdk_…`, for the header `Authorization: Bearer`. Shown only here: the server keeps its hash.',
      }),
    }),
  },
);

builder.relayMutationField(
  'revokeIngestKey',
  {
    description: 'Input of `revokeIngestKey`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the ingest key.' }) }),
  },
  {
    description:
      'The key stops working at once, on all servers: requests with it get 401. Its devices and their dumps stay.',
    resolve: (_, { input: { id } }, { services }) => services.ingestKeys.revoke(requireId('IngestKey', id)),
  },
  {
    description: 'Answer of `revokeIngestKey`.',
    outputFields: (t) => ({
      ingestKey: t.field({
        type: IngestKey,
        description: 'The key after the change.',
        resolve: (ingestKey) => ingestKey,
      }),
    }),
  },
);
