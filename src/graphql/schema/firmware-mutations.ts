import { assertMayUploadFor } from '../../auth/principal.js';
import { readWarnings } from '../../firmware/warnings.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { Firmware } from './firmware.js';
import { present, requireId } from './inputs.js';
import { ReportWarning } from './report-warning.js';

builder.relayMutationField(
  'uploadFirmware',
  {
    inputFields: (t) => ({
      modelCode: t.string({ required: true, description: 'Code of the model that runs the build.' }),
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
      revision: t.string({
        description:
          'The Git commit of its sources: 1 to 64 of the characters `A-Z a-z 0-9 . _ + -`. Of an ELF that is there already, the ' +
          'first one stays.',
      }),
      allowVersionMismatch: t.boolean({
        description:
          'Store it under `version`, or that of `version.json`, although its application descriptor has another one ' +
          '(`elfVersion`). Without it, BAD_USER_INPUT.',
      }),
    }),
  },
  {
    description:
      'Stores a build, with which dumps can be parsed. Dumps that wait for it are queued. The same ELF again changes ' +
      'nothing. For admins and uploaders; a CI job may upload for the models that it is trusted with.',
    skipTypeScopes: true,
    authScopes: { uploader: true },
    resolve: async (
      _,
      { input: { modelCode, bundle, version, revision, allowVersionMismatch } },
      { services, person },
    ) => {
      assertMayUploadFor(person, modelCode);
      const { filename, createReadStream } = await bundle;
      const stream = createReadStream();
      return services.firmwares.upload({
        modelCode,
        ...present({ version, revision, allowVersionMismatch }),
        // graphql-upload-minimal cuts a file at its limit without an error; the stream knows.
        bundle: { filename, stream, truncated: () => 'truncated' in stream && stream.truncated === true },
      });
    },
  },
  {
    outputFields: (t) => ({
      firmware: t.field({
        type: Firmware,
        description: 'The stored build: the earlier one if the same ELF was uploaded before.',
        resolve: (firmware) => firmware,
      }),
      warnings: t.field({
        type: [ReportWarning],
        description:
          'What the ELF lacks, so that reports made with it lack something. The same as `firmware.warnings`.',
        resolve: ({ warnings }) => readWarnings(warnings),
      }),
    }),
  },
);

builder.relayMutationField(
  'updateFirmware',
  {
    description: 'Fields that are left out or null keep their values.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'Global id of the build.' }),
      version: t.string({
        description:
          'The version that was meant: 1 to 64 of the characters `A-Z a-z 0-9 . _ + -`. Another build may have it too.',
      }),
    }),
  },
  {
    description:
      'Corrects the version of a build that was uploaded with a wrong one. Dumps that wait for a build of the new version ' +
      'are queued. Dumps that name the build get its version, and are counted by it; reports that exist stay as they are.',
    resolve: (_, { input: { id, version } }, { services }) =>
      services.firmwares.update(requireId('Firmware', id), present({ version })),
  },
  {
    outputFields: (t) => ({
      firmware: t.field({
        type: Firmware,
        description: 'The build after the change.',
        resolve: (firmware) => firmware,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteFirmware',
  { inputFields: (t) => ({ id: t.id({ required: true, description: 'Global id of the build.' }) }) },
  {
    description: 'Deletes a build and its ELF. Dumps that were parsed with it keep their reports.',
    resolve: async (_, { input: { id } }, { services }) => {
      const firmwareId = requireId('Firmware', id);
      await services.firmwares.delete(firmwareId);
      return { deletedFirmwareId: encodeGlobalId('Firmware', firmwareId) };
    },
  },
  {
    outputFields: (t) => ({
      deletedFirmwareId: t.exposeID('deletedFirmwareId', { description: 'Global id of the deleted build.' }),
    }),
  },
);
