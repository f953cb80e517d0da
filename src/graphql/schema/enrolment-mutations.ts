import type { CreatedDevice } from '../../devices/create-devices.js';
import { NEW_DEVICES } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { Device } from './device.js';
import { deviceAction } from './device-action.js';
import { present } from './inputs.js';

const NewDevice = builder.inputType('NewDevice', {
  description: 'One device of `createDevices`.',
  fields: (t) => ({
    serial: t.string({
      description: 'What its maker printed on it: 1 to 64 of A-Z, a-z, 0-9, ".", "_", ":" and "-".',
    }),
    key: t.string({ description: '1 to 32 of a-z and 0-9; eight random characters when left out.' }),
    name: t.string({ description: 'For people: 1 to 200 characters on one line.' }),
  }),
});

const CreatedDeviceType = builder.objectRef<CreatedDevice>('CreatedDevice').implement({
  description: 'A device that `createDevices` has registered.',
  fields: (t) => ({
    device: t.field({ type: Device, description: 'The new device.', resolve: ({ device }) => device }),
    token: t.exposeString('token', {
      nullable: true,
      description:
        'Its bearer token for uploads. Shown only here: the server keeps its hash. Null with `withTokens: false`.',
    }),
  }),
});

builder.relayMutationField(
  'createDevices',
  {
    description: 'Input of `createDevices`.',
    inputFields: (t) => ({
      modelCode: t.string({ required: true, description: 'Code of their model, which must exist.' }),
      devices: t.field({
        type: [NewDevice],
        required: true,
        description: 'The devices: 1 to 200.',
      }),
      withTokens: t.boolean({
        defaultValue: true,
        description:
          'False: they get no tokens of their own and use an ingest key of the model. They are approved, also where ' +
          'the key requires approval.',
      }),
    }),
  },
  {
    description:
      'Registers devices, all of them or none. An error names the first wrong one: `input.devices.3.serial`. CONFLICT when ' +
      'a key is taken, or a serial within the model.',
    resolve: async (_, { input: { modelCode, devices, withTokens } }, { services }) => ({
      devices: await services.devices.createDevices({
        modelCode,
        devices: devices.map(present),
        ...present({ withTokens }),
      }),
    }),
  },
  {
    description: 'Answer of `createDevices`.',
    outputFields: (t) => ({
      devices: t.field({
        type: [CreatedDeviceType],
        complexity: NEW_DEVICES,
        description: 'The devices in the order of the input.',
        resolve: ({ devices }) => devices,
      }),
    }),
  },
);

deviceAction(
  'approveDevice',
  'Accepts a device that waits for approval, or one that was rejected. Its kept crashes are counted in groups, charts ' +
    'and versions, and raise alerts.',
  (devices, id) => devices.approveDevice(id),
);

deviceAction(
  'rejectDevice',
  'The device’s uploads and boot reports are refused from now on, whatever its credentials. Its kept dumps stay until ' +
    'it is deleted; but a deleted device may register itself again.',
  (devices, id) => devices.rejectDevice(id),
);
