import type { MissingFirmwareRow } from '../../crash-groups/missing-firmware.js';
import { firstCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { DeviceModel, modelOf } from './device-model.js';
import { Firmware } from './firmware.js';

const MissingFirmware = builder.objectRef<MissingFirmwareRow>('MissingFirmware').implement({
  description: 'A build that dumps wait for. After its upload they are parsed automatically.',
  fields: (t) => ({
    model: t.field({ type: DeviceModel, description: 'The model of the devices.', resolve: modelOf }),
    firmwareVersion: t.exposeString('firmwareVersion', {
      description:
        'As the devices reported it. If a device was updated after the crash, the version of the update.',
    }),
    elfSha256Prefix: t.exposeString('elfSha256Prefix', {
      nullable: true,
      description: 'First digits of the SHA-256 of the ELF, as in the dumps; null where they have none.',
    }),
    coredumpCount: t.exposeInt('coredumpCount', { description: 'Dumps that wait for it.' }),
    deviceCount: t.exposeInt('deviceCount', { description: 'Devices that sent them.' }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', description: 'When the newest of them arrived.' }),
  }),
});

builder.queryField('missingFirmwares', (t) =>
  t.field({
    type: [MissingFirmware],
    complexity: firstCost,
    description:
      'Builds to upload next; the build that most dumps wait for comes first. Not a connection: a build leaves the list once ' +
      'it was uploaded.',
    args: {
      first: t.arg.int({ defaultValue: 20, description: 'How many: 1 to 200, 20 when left out.' }),
    },
    resolve: (_, { first }, { services }) => services.crashGroups.listMissingFirmwares(first ?? 20),
  }),
);

builder.objectFields(Firmware, (t) => ({
  waitingCoredumpCount: t.int({
    description:
      'Dumps in the parse queue with this build’s SHA or version. Falls to 0 after the upload as they are parsed.',
    resolve: ({ id }, _, { loaders }) => loaders.versions.waiting.load(id),
  }),
  crashCount: t.int({
    description: 'Crashes ever counted in this version of the model, in any of its builds.',
    resolve: async ({ id }, _, { loaders }) => (await loaders.versions.health.load(id)).crashCount,
  }),
  crashedDeviceCount: t.int({
    description: 'Devices of the model that ever crashed in this version.',
    resolve: async ({ id }, _, { loaders }) => (await loaders.versions.health.load(id)).crashedDeviceCount,
  }),
  crashFreeDeviceCount: t.int({
    description:
      'Devices of the model without a crash in this version. Includes devices that never ran it: a device reports ' +
      'its version only when it crashes.',
    resolve: async ({ id, modelId }, _, { loaders }) => {
      const [all, { crashedDeviceCount }] = await Promise.all([
        loaders.devices.countApprovedOfModel.load(modelId),
        loaders.versions.health.load(id),
      ]);
      return Math.max(0, all - crashedDeviceCount);
    },
  }),
}));
