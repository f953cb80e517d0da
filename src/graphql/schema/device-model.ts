import type { DeviceModelOrder, DeviceModelRow, MODEL_ORDERS } from '../../devices/types.js';
import { notFound } from '../../errors.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { checkedFilter, requireId, rowIdOf } from './inputs.js';
import { OrderDirection } from './order.js';
import { byNumber, byText, type OrderFields, orderedPage } from './ordered-pages.js';

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
      description:
        'Unique, `[a-z0-9_]{1,32}`, and never changed: it names the ELF in a firmware bundle, and the folder of the ' +
        'model’s builds.',
    }),
    name: t.exposeString('name', { description: 'For people: 1 to 200 characters on one line.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When its name or its privacy settings were last changed; at first its `createdAt`.',
      resolve: ({ createdAt, updatedAt }) => updatedAt ?? createdAt,
    }),
  }),
});

const DeviceModelConnection = builder.connectionObject({
  type: DeviceModel,
  name: 'DeviceModelConnection',
  description: 'One page of a list of models.',
});

const DeviceModelOrderField = builder.enumType('DeviceModelOrderField', {
  description: 'What a list of models is sorted by. Values may be added.',
  values: {
    CREATED_AT: { description: 'When the model was created.' },
    CODE: { description: 'Its code, in the order of the database’s text.' },
    NAME: { description: 'Its name, in upper or lower case.' },
  } satisfies Record<(typeof MODEL_ORDERS)[number], { description: string }>,
});

const DeviceModelOrderInput = builder.inputType('DeviceModelOrder', {
  description: 'How a list of models is sorted. Among equal values the newest model has the highest place.',
  fields: (t) => ({
    field: t.field({ type: DeviceModelOrderField, required: true, description: 'What is compared.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'DESC',
      description: 'Highest first, unless told otherwise.',
    }),
  }),
});

const ORDER_FIELDS: OrderFields<DeviceModelRow, DeviceModelOrder['field']> = {
  CREATED_AT: byNumber(({ id }) => id),
  CODE: byText(({ code }) => code),
  NAME: byText(({ name }) => name),
};

const DeviceModelFilterInput = builder.inputType('DeviceModelFilter', {
  description: 'Fields that are left out or null do not filter.',
  fields: (t) => ({
    search: t.string({
      description:
        'All words must occur, in upper or lower case, in code or name. At most 200 characters and 10 words.',
    }),
  }),
});

builder.queryFields((t) => ({
  deviceModels: t.connection(
    {
      type: DeviceModel,
      description: 'All models, the newest first unless sorted otherwise.',
      args: {
        filter: t.arg({ type: DeviceModelFilterInput, description: 'Which models; all by default.' }),
        orderBy: t.arg({
          type: DeviceModelOrderInput,
          description: 'By default the newest model comes first.',
        }),
      },
      resolve: (_, { filter: input, orderBy, ...args }, { services }) => {
        const filter = checkedFilter(input ?? {});
        return orderedPage(
          { ...args, orderBy: orderBy ?? { field: 'CREATED_AT', direction: 'DESC' } },
          ORDER_FIELDS,
          (window) => services.devices.listModels(filter, window),
          () => services.devices.countModels(filter),
        );
      },
    },
    DeviceModelConnection,
  ),
  deviceModel: t.field({
    type: DeviceModel,
    nullable: true,
    description: 'The model with this code; null when there is none. By its id: `node`.',
    args: { code: t.arg.string({ required: true, description: 'Its whole code: `thermostat`.' }) },
    resolve: (_, { code }, { services }) => services.devices.getModel(code),
  }),
}));

builder.relayMutationField(
  'createDeviceModel',
  {
    description: 'Input of `createDeviceModel`.',
    inputFields: (t) => ({
      code: t.string({ required: true, description: '1 to 32 of a-z, 0-9 and "_". It never changes.' }),
      name: t.string({ required: true, description: 'For people: 1 to 200 characters on one line.' }),
    }),
  },
  {
    description: 'Creates a model. CONFLICT when the code is taken.',
    resolve: (_, { input: { code, name } }, { services }) => services.devices.createModel({ code, name }),
  },
  {
    description: 'Answer of `createDeviceModel`.',
    outputFields: (t) => ({
      deviceModel: t.field({ type: DeviceModel, description: 'The new model.', resolve: (model) => model }),
    }),
  },
);

builder.relayMutationField(
  'updateDeviceModel',
  {
    description: 'Input of `updateDeviceModel`.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the model.' }),
      name: t.string({ required: true, description: 'For people: 1 to 200 characters on one line.' }),
    }),
  },
  {
    description: 'Renames a model. Its code stays: bundles and stored files are named by it.',
    resolve: (_, { input: { id, name } }, { services }) =>
      services.devices.updateModel(requireId('DeviceModel', id), { name }),
  },
  {
    description: 'Answer of `updateDeviceModel`.',
    outputFields: (t) => ({
      deviceModel: t.field({
        type: DeviceModel,
        description: 'The model after the change.',
        resolve: (model) => model,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteDeviceModel',
  {
    description: 'Input of `deleteDeviceModel`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the model.' }) }),
  },
  {
    description:
      'Deletes a model that has no devices, with its builds and their ELF files. CONFLICT while it has devices: delete ' +
      'them, or move them to another model, first. Alert rules for the model are switched off. Crashes stay counted, ' +
      'and reports of dumps that were parsed with its builds stay.',
    resolve: async (_, { input: { id } }, { services }) => {
      const modelId = requireId('DeviceModel', id);
      await services.devices.deleteModel(modelId);
      return { deletedDeviceModelId: encodeGlobalId('DeviceModel', modelId) };
    },
  },
  {
    description: 'Answer of `deleteDeviceModel`.',
    outputFields: (t) => ({
      deletedDeviceModelId: t.exposeID('deletedDeviceModelId', {
        description: 'The id of the deleted model.',
      }),
    }),
  },
);
