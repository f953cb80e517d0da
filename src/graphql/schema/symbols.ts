import type { MissingFirmwareRow } from '../../crash-groups/missing-firmware.js';
import { notFound } from '../../errors.js';
import { builder } from './builder.js';
import { DeviceModel } from './device-model.js';
import { Firmware } from './firmware.js';

const MissingFirmware = builder.objectRef<MissingFirmwareRow>('MissingFirmware').implement({
  description: 'A build that dumps wait for: upload it, and they are read by themselves.',
  fields: (t) => ({
    model: t.field({
      type: DeviceModel,
      resolve: async ({ modelId }, _, { loaders }) => {
        const model = await loaders.devices.modelById.load(modelId);
        if (model === null) throw notFound('device model', modelId);
        return model;
      },
    }),
    firmwareVersion: t.exposeString('firmwareVersion', {
      description: 'As the devices reported it: where an update came after the crash it is the update’s.',
    }),
    elfSha256Prefix: t.exposeString('elfSha256Prefix', {
      nullable: true,
      description: 'How the SHA-256 of the ELF begins, as the dumps say; null where they do not.',
    }),
    coredumpCount: t.exposeInt('coredumpCount', { description: 'Dumps that wait for it.' }),
    deviceCount: t.exposeInt('deviceCount'),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime' }),
  }),
});

builder.queryField('missingFirmwares', (t) =>
  t.field({
    type: [MissingFirmware],
    description: 'What to upload next: the builds that most dumps wait for come first.',
    args: { first: t.arg.int({ defaultValue: 20 }) },
    resolve: (_, { first }, { services }) => services.crashGroups.listMissingFirmwares(first ?? 20),
  }),
);

builder.objectFields(Firmware, (t) => ({
  waitingCoredumpCount: t.int({
    description:
      'Dumps in the parse queue of this build’s SHA or version: after its upload this falls to 0 as they are read.',
    resolve: ({ id }, _, { loaders }) => loaders.versions.waiting.load(id),
  }),
  crashCount: t.int({
    description: 'Crashes ever counted in this version of the model, whichever its build.',
    resolve: async ({ id }, _, { loaders }) => (await loaders.versions.health.load(id)).crashCount,
  }),
  crashedDeviceCount: t.int({
    description: 'Devices of the model that ever crashed in this version.',
    resolve: async ({ id }, _, { loaders }) => (await loaders.versions.health.load(id)).crashedDeviceCount,
  }),
  crashFreeDeviceCount: t.int({
    description:
      'Devices of the model that never crashed in this version, those included that never ran it: devices tell ' +
      'what they run only when they crash.',
    resolve: async ({ id, modelId }, _, { loaders }) => {
      const [all, { crashedDeviceCount }] = await Promise.all([
        loaders.devices.countOfModel.load(modelId),
        loaders.versions.health.load(id),
      ]);
      return Math.max(0, all - crashedDeviceCount);
    },
  }),
}));
