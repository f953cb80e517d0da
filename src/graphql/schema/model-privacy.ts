import type { Privacy } from '../../devices/privacy.js';
import { builder } from './builder.js';
import { DeviceModel } from './device-model.js';

const ModelPrivacy = builder.objectRef<Privacy>('ModelPrivacy').implement({
  description:
    'How long raw dumps are kept, and who may download them. Rows, texts and reports stay; a dump without its raw bytes ' +
    'cannot be parsed again.',
  fields: (t) => ({
    removeRawOnceRead: t.exposeBoolean('removeRawOnceRead', {
      description: 'Raw bytes are removed as soon as the dump is PARSED.',
    }),
    keepRawDays: t.exposeInt('keepRawDays', {
      nullable: true,
      description: 'Raw bytes are removed this many days after the upload, parsed or not. Null: no limit.',
    }),
    rawForAdminsOnly: t.exposeBoolean('rawForAdminsOnly', { description: 'Viewers cannot download them.' }),
  }),
});

builder.objectField(DeviceModel, 'privacy', (t) =>
  t.field({
    type: ModelPrivacy,
    description:
      'What becomes of raw dumps; without settings they are kept, and every viewer may download them.',
    resolve: ({ id }, _, { loaders }) => loaders.devices.privacyOfModel.load(id),
  }),
);

builder.relayMutationField(
  'setModelPrivacy',
  {
    description: 'Input of `setModelPrivacy`. Fields that are left out keep their values.',
    inputFields: (t) => ({
      modelCode: t.string({ required: true, description: 'Code of the model.' }),
      removeRawOnceRead: t.boolean({
        description: 'Remove raw bytes as soon as the dump is PARSED, also of dumps that are parsed already.',
      }),
      keepRawDays: t.int({
        description: 'Remove raw bytes this many days after the upload: 1 to 36500. Null removes the limit.',
      }),
      rawForAdminsOnly: t.boolean({ description: 'Viewers cannot download raw bytes.' }),
    }),
  },
  {
    description:
      'Sets how long raw dumps of a model are kept, and who may download them. It takes effect at once.',
    resolve: (_, { input: { modelCode, removeRawOnceRead, keepRawDays, rawForAdminsOnly } }, { services }) =>
      services.privacy.set(modelCode, {
        ...(removeRawOnceRead == null ? {} : { removeRawOnceRead }),
        ...(keepRawDays === undefined ? {} : { keepRawDays }),
        ...(rawForAdminsOnly == null ? {} : { rawForAdminsOnly }),
      }),
  },
  {
    description: 'Answer of `setModelPrivacy`.',
    outputFields: (t) => ({
      deviceModel: t.field({
        type: DeviceModel,
        description: 'The model after the change.',
        resolve: (model) => model,
      }),
    }),
  },
);
