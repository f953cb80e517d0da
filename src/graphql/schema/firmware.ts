import type { Firmware as FirmwareRow } from '../../firmware/types.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { DeviceModel, modelOf } from './device-model.js';
import { requireId, rowIdOf } from './inputs.js';
import { page } from './pages.js';

export const Firmware = builder.objectRef<FirmwareRow>('Firmware');

builder.node(Firmware, {
  description: 'One build, identified by the SHA-256 of its ELF. A version may have several builds.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.firmwares.byId.load(rowIdOf(id)),
  fields: (t) => ({
    version: t.exposeString('version'),
    chip: t.exposeString('chip', { nullable: true }),
    elfSha256: t.exposeString('elfSha256'),
    size: t.exposeInt('size', { description: 'Bytes of the ELF.' }),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime' }),
    model: t.field({
      type: DeviceModel,
      resolve: modelOf,
    }),
    elfLostAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the server noticed that the storage has lost the ELF: upload the same ELF again. Null while it is there.',
      resolve: ({ id }, _, { loaders }) => loaders.firmwares.elfLostAt.load(id),
    }),
    coredumpCount: t.int({
      description: 'Stored dumps that were parsed with this build.',
      resolve: ({ id }, _, { loaders }) => loaders.firmwares.coredumpCount.load(id),
    }),
  }),
});

export const FirmwareConnection = builder.connectionObject({ type: Firmware, name: 'FirmwareConnection' });

builder.objectField(DeviceModel, 'firmwares', (t) =>
  t.connection(
    {
      type: Firmware,
      description: 'Stored builds, newest first.',
      resolve: ({ id }, args, { loaders }) =>
        page(
          args,
          (window) => loaders.firmwares.ofModel.load({ parentId: id, window }),
          () => loaders.firmwares.countOfModel.load(id),
        ),
    },
    FirmwareConnection,
  ),
);

builder.relayMutationField(
  'uploadFirmware',
  {
    inputFields: (t) => ({
      modelCode: t.string({ required: true }),
      bundle: t.field({
        type: 'Upload',
        required: true,
        description:
          'A ZIP with `{model_code}.elf`, or a bare `.elf`, as a file of a GraphQL multipart request.',
      }),
      version: t.string({
        description:
          'When left out: `version.json` in the ZIP, else the application descriptor in the ELF says it.',
      }),
    }),
  },
  {
    resolve: async (_, { input: { modelCode, bundle, version } }, { services }) => {
      const { filename, createReadStream } = await bundle;
      const stream = createReadStream();
      return services.firmwares.upload({
        modelCode,
        ...(version == null ? {} : { version }),
        // graphql-upload-minimal cuts a file at its limit without an error; the stream knows.
        bundle: { filename, stream, truncated: () => 'truncated' in stream && stream.truncated === true },
      });
    },
  },
  { outputFields: (t) => ({ firmware: t.field({ type: Firmware, resolve: (firmware) => firmware }) }) },
);

builder.relayMutationField(
  'deleteFirmware',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    description: 'Dumps that were parsed with it keep their reports.',
    resolve: async (_, { input: { id } }, { services }) => {
      const firmwareId = requireId('Firmware', id);
      await services.firmwares.delete(firmwareId);
      return { deletedFirmwareId: encodeGlobalId('Firmware', firmwareId) };
    },
  },
  { outputFields: (t) => ({ deletedFirmwareId: t.exposeID('deletedFirmwareId') }) },
);
