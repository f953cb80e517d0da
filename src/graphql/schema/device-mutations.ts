import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { Device } from './device.js';
import { DEVICE_ID, deviceAction } from './device-action.js';
import { present, requireId } from './inputs.js';

const TOKEN = 'The device’s bearer token for uploads. Shown only here: the server keeps its hash.';
const NAME = 'For people: 1 to 200 characters on one line.';
const SERIAL = 'What its maker printed on it: 1 to 64 of A-Z, a-z, 0-9, ".", "_", ":" and "-".';

builder.relayMutationField(
  'createDevice',
  {
    description: 'Input of `createDevice`.',
    inputFields: (t) => ({
      modelCode: t.string({ required: true, description: 'Code of its model, which must exist.' }),
      key: t.string({ description: '1 to 32 of a-z and 0-9; eight random characters when left out.' }),
      serial: t.string({ description: SERIAL }),
      name: t.string({ description: NAME }),
    }),
  },
  {
    description:
      'Registers a device. CONFLICT when the key is taken, or the serial within the model; NOT_FOUND for an unknown model.',
    resolve: (_, { input: { modelCode, key, serial, name } }, { services }) =>
      services.devices.createDevice(present({ modelCode, key, serial, name })),
  },
  {
    description: 'Answer of `createDevice`.',
    outputFields: (t) => ({
      device: t.field({ type: Device, description: 'The new device.', resolve: ({ device }) => device }),
      token: t.exposeString('token', { description: TOKEN }),
    }),
  },
);

builder.relayMutationField(
  'rotateDeviceToken',
  {
    description: 'Input of `rotateDeviceToken`.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: DEVICE_ID }),
      graceSeconds: t.int({
        description: 'How long the old token still works: one day by default, at most 30 days (2592000).',
      }),
    }),
  },
  {
    description:
      'Makes a new token for the device. Tokens older than the last one stop working at once, and so do ingest keys for ' +
      'this device.',
    resolve: (_, { input: { id, graceSeconds } }, { services }) =>
      services.devices.rotateToken(requireId('Device', id), graceSeconds ?? undefined),
  },
  {
    description: 'Answer of `rotateDeviceToken`.',
    outputFields: (t) => ({
      device: t.field({
        type: Device,
        description: 'The device after the change.',
        resolve: ({ device }) => device,
      }),
      token: t.exposeString('token', { description: TOKEN }),
    }),
  },
);

deviceAction(
  'revokeDeviceToken',
  'All tokens of the device stop working at once, and ingest keys stay refused for it. `rotateDeviceToken` makes a ' +
    'new one.',
  (devices, id) => devices.revokeToken(id),
);

builder.relayMutationField(
  'updateDevice',
  {
    description: 'Input of `updateDevice`. Fields that are left out keep their values.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: DEVICE_ID }),
      name: t.string({ description: `${NAME} Null removes the name.` }),
      serial: t.string({ description: `${SERIAL} Null removes the serial.` }),
      modelCode: t.string({
        description: 'Code of its new model. What it crashed with before stays counted for the old one.',
      }),
    }),
  },
  {
    description:
      'Renames a device, corrects its serial, or moves it to another model. CONFLICT when the model has a device with ' +
      'the serial.',
    resolve: (_, { input: { id, name, serial, modelCode } }, { services }) =>
      services.devices.updateDevice(requireId('Device', id), {
        ...(name === undefined ? {} : { name }),
        ...(serial === undefined ? {} : { serial }),
        ...(modelCode == null ? {} : { modelCode }),
      }),
  },
  {
    description: 'Answer of `updateDevice`.',
    outputFields: (t) => ({
      device: t.field({
        type: Device,
        description: 'The device after the change.',
        resolve: (device) => device,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteDevice',
  {
    description: 'Input of `deleteDevice`.',
    inputFields: (t) => ({ id: t.id({ required: true, description: DEVICE_ID }) }),
  },
  {
    description: 'Deletes a device with its dumps, rows and files. Its crashes stay counted in their groups.',
    resolve: async (_, { input: { id } }, { services }) => {
      const deviceId = requireId('Device', id);
      await services.devices.deleteDevice(deviceId);
      return { deletedDeviceId: encodeGlobalId('Device', deviceId) };
    },
  },
  {
    description: 'Answer of `deleteDevice`.',
    outputFields: (t) => ({
      deletedDeviceId: t.exposeID('deletedDeviceId', { description: 'The id of the deleted device.' }),
    }),
  },
);
