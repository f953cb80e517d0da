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
    resolve: ({ id }, _, { loaders }) => loaders.devices.privacyOfModel.load(id),
  }),
);

builder.relayMutationField(
  'setModelPrivacy',
  {
    description: 'Fields that are left out keep their values.',
    inputFields: (t) => ({
      modelCode: t.string({ required: true }),
      removeRawOnceRead: t.boolean({}),
      keepRawDays: t.int({ description: 'Null removes the limit.' }),
      rawForAdminsOnly: t.boolean({}),
    }),
  },
  {
    resolve: (_, { input: { modelCode, removeRawOnceRead, keepRawDays, rawForAdminsOnly } }, { services }) =>
      services.privacy.set(modelCode, {
        ...(removeRawOnceRead == null ? {} : { removeRawOnceRead }),
        ...(keepRawDays === undefined ? {} : { keepRawDays }),
        ...(rawForAdminsOnly == null ? {} : { rawForAdminsOnly }),
      }),
  },
  { outputFields: (t) => ({ deviceModel: t.field({ type: DeviceModel, resolve: (model) => model }) }) },
);
