import type { DeviceModelRow } from '../../devices/types.js';
import { notFound } from '../../errors.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { rowIdOf } from './inputs.js';
import { page } from './pages.js';

export const DeviceModel = builder.objectRef<DeviceModelRow>('DeviceModel');

/** Resolver of a field `model`. @throws DomainError NOT_FOUND */
export async function modelOf(
  { modelId }: { modelId: number },
  _: unknown,
  { loaders }: Pick<Context, 'loaders'>,
): Promise<DeviceModelRow> {
  const model = await loaders.devices.modelById.load(modelId);
  if (model === null) throw notFound('device model', modelId);
  return model;
}

builder.node(DeviceModel, {
  description: 'A product: devices of one model run the same firmware builds.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.devices.modelById.load(rowIdOf(id)),
  fields: (t) => ({
    code: t.exposeString('code', {
      description: 'Unique, `[a-z0-9_]{1,32}`; names the ELF in a firmware bundle.',
    }),
    name: t.exposeString('name'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const DeviceModelConnection = builder.connectionObject({ type: DeviceModel, name: 'DeviceModelConnection' });

builder.queryFields((t) => ({
  deviceModels: t.connection(
    {
      type: DeviceModel,
      description: 'Newest first.',
      resolve: (_, args, { services }) =>
        page(args, services.devices.listModels, services.devices.countModels),
    },
    DeviceModelConnection,
  ),
  deviceModel: t.field({
    type: DeviceModel,
    nullable: true,
    args: { code: t.arg.string({ required: true }) },
    resolve: (_, { code }, { services }) => services.devices.getModel(code),
  }),
}));

builder.relayMutationField(
  'createDeviceModel',
  {
    inputFields: (t) => ({
      code: t.string({ required: true, description: '1 to 32 of a-z, 0-9 and "_".' }),
      name: t.string({ required: true }),
    }),
  },
  { resolve: (_, { input: { code, name } }, { services }) => services.devices.createModel({ code, name }) },
  { outputFields: (t) => ({ deviceModel: t.field({ type: DeviceModel, resolve: (model) => model }) }) },
);
