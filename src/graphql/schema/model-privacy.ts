import type { Privacy } from '../../devices/privacy.js';
import { builder } from './builder.js';
import { DeviceModel } from './device-model.js';

const ModelPrivacy = builder.objectRef<Privacy>('ModelPrivacy').implement({
  description:
    'How long, and for whom, raw dumps are kept. Their rows, texts and reports stay; what was removed cannot be read again.',
  fields: (t) => ({
    removeRawOnceRead: t.exposeBoolean('removeRawOnceRead', {
      description: 'The raw bytes go as soon as the dump is PARSED.',
    }),
    keepRawDays: t.exposeInt('keepRawDays', {
      nullable: true,
      description: 'They go so many days after their upload, read or not. Null: no such limit.',
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

const SetModelPrivacyInput = builder.inputType('SetModelPrivacyInput', {
  fields: (t) => ({
    modelCode: t.string({ required: true }),
    removeRawOnceRead: t.boolean({ description: 'Left out, it stays as it is; so with the others.' }),
    keepRawDays: t.int({ description: 'Null removes the limit.' }),
    rawForAdminsOnly: t.boolean({}),
  }),
});

builder.mutationField('setModelPrivacy', (t) =>
  t.field({
    type: DeviceModel,
    args: { input: t.arg({ type: SetModelPrivacyInput, required: true }) },
    resolve: (_, { input: { modelCode, removeRawOnceRead, keepRawDays, rawForAdminsOnly } }, { services }) =>
      services.privacy.set(modelCode, {
        ...(removeRawOnceRead == null ? {} : { removeRawOnceRead }),
        ...(keepRawDays === undefined ? {} : { keepRawDays }),
        ...(rawForAdminsOnly == null ? {} : { rawForAdminsOnly }),
      }),
  }),
);
