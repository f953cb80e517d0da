import { hasRole } from '../../auth/principal.js';
import { redactOutput, redactReport } from '../../coredumps/redact.js';
import { badInput, notFound } from '../../errors.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { CoredumpKind } from './coredump-filter.js';
import { FILE, TEXT, withCrashFile } from './crash-file.js';
import { CrashReport } from './crash-report.js';
import { Device } from './device.js';
import { Firmware } from './firmware.js';
import { label, requireId } from './inputs.js';

builder.relayMutationField(
  'decodeCrash',
  {
    description: 'Input of `decodeCrash`. Exactly one of `file` and `text`.',
    inputFields: (t) => ({
      file: t.field({ type: 'Upload', description: FILE }),
      text: t.string({ description: TEXT }),
      modelCode: t.string({
        description: 'Code of a model: only its builds are looked at. Those of all models when left out.',
      }),
      firmwareVersion: t.string({
        description:
          'Version of the build, for a crash that does not name its ELF: `1.4.2`. When left out, what the crash itself says. ' +
          'Without `modelCode` it counts only if one model has it.',
      }),
      firmwareId: t.id({
        description:
          'Global id of a build to read it with, whatever it names. BAD_USER_INPUT for a build for another chip.',
      }),
      chip: t.string({ description: 'Only for a crash that does not name its chip: `esp32c3`.' }),
    }),
  },
  {
    description:
      'Reads a crash with the builds of the server, and stores nothing of it; the audit notes that it was done. For viewers ' +
      'too. Its build is `firmwareId`, else the one whose SHA-256 it names, else by version. BAD_USER_INPUT for what is ' +
      'nothing of a crash or cannot be read; RATE_LIMITED beyond 30 a minute for each person.',
    skipTypeScopes: true,
    authScopes: { viewer: true },
    resolve: (_, { input }, { services }) =>
      withCrashFile(input, (crash) =>
        services.decode({
          ...crash,
          modelCode: input.modelCode ?? null,
          firmwareVersion: label(input.firmwareVersion, 'firmwareVersion'),
          firmwareId: input.firmwareId == null ? null : requireId('Firmware', input.firmwareId, 'firmwareId'),
          chip: label(input.chip, 'chip'),
        }),
      ),
  },
  {
    description: 'Answer of `decodeCrash`.',
    outputFields: (t) => ({
      kind: t.field({ type: CoredumpKind, description: 'What it is.', resolve: ({ kind }) => kind }),
      report: t.field({
        type: CrashReport,
        nullable: true,
        description:
          'Its content, as `Coredump.report`. What only looks like a crash has the warning NO_CRASH. Null when a parse sidecar ' +
          'of another maker answers a text alone. Viewers get it redacted.',
        resolve: ({ report }, _, { person, answer }) => {
          if (report === null) return null;
          answer.admit(JSON.stringify(report).length);
          return hasRole(person, 'admin') ? report : redactReport(report);
        },
      }),
      output: t.string({
        description:
          'The report as text in the layout of esp-coredump. Viewers get it without memory contents.',
        resolve: ({ output }, _, { person, answer }) => {
          answer.admit(output.length);
          return hasRole(person, 'admin') ? output : redactOutput(output);
        },
      }),
      firmware: t.field({
        type: Firmware,
        nullable: true,
        description: 'The build that it was read with; null: none was found, and it has addresses alone.',
        resolve: ({ firmware }) => firmware,
      }),
    }),
  },
);

builder.relayMutationField(
  'uploadCrash',
  {
    description:
      'Input of `uploadCrash`. Exactly one of `file` and `text`, and either `deviceId` or `modelCode` with `serial`.',
    inputFields: (t) => ({
      file: t.field({ type: 'Upload', description: FILE }),
      text: t.string({ description: TEXT }),
      deviceId: t.id({ description: 'Global id of the device that crashed.' }),
      modelCode: t.string({ description: 'Code of its model, which must exist.' }),
      serial: t.string({
        description:
          'What its maker printed on it: 1 to 64 of A-Z, a-z, 0-9, ".", "_", ":" and "-". A serial that the model does not ' +
          'have is registered, without a token.',
      }),
      chip: t.string({
        description:
          'The chip: `esp32c3`. When left out: what the crash says, else the last boot report of the device, else `unknown`.',
      }),
      firmwareVersion: t.string({
        description:
          'The version that the device ran: `1.4.2`. When left out: that of the build of `firmwareId`, else as for the chip.',
      }),
      firmwareId: t.id({
        description:
          'Global id of a build of the model to read it with, as `parseCoredump` does. When left out, it is found by the crash.',
      }),
    }),
  },
  {
    description:
      'Files a crash under a device that did not send it itself: from a log, a file, a ticket. It is stored, parsed, counted and ' +
      'kept like one that arrived. The same bytes for the same device within ten minutes are one crash. BAD_USER_INPUT for ' +
      'what is nothing of a crash.',
    resolve: async (_, { input }, { services }) => {
      const { deviceId, modelCode, serial, firmwareId } = input;
      const device = deviceOf({ deviceId, modelCode, serial });
      return withCrashFile(input, (crash) =>
        services.handIn({
          ...crash,
          device,
          chip: label(input.chip, 'chip'),
          firmwareVersion: label(input.firmwareVersion, 'firmwareVersion'),
          firmwareId: firmwareId == null ? null : requireId('Firmware', firmwareId, 'firmwareId'),
        }),
      );
    },
  },
  {
    description: 'Answer of `uploadCrash`.',
    outputFields: (t) => ({
      coredump: t.field({
        type: Coredump,
        description: 'The stored crash; the earlier one when the same bytes were stored a moment ago.',
        resolve: (coredump) => coredump,
      }),
      device: t.field({
        type: Device,
        description: 'Its device.',
        resolve: async ({ deviceId }, _, { loaders }) => {
          const device = await loaders.devices.byId.load(deviceId);
          if (device === null) throw notFound('device', deviceId);
          return device;
        },
      }),
    }),
  },
);

/** @throws DomainError BAD_USER_INPUT */
function deviceOf({
  deviceId,
  modelCode,
  serial,
}: {
  deviceId?: string | number | null | undefined;
  modelCode?: string | null | undefined;
  serial?: string | null | undefined;
}): { id: number } | { modelCode: string; serial: string } {
  if (deviceId != null) {
    if (modelCode == null && serial == null) return { id: requireId('Device', deviceId, 'deviceId') };
  } else if (modelCode != null && serial != null) return { modelCode, serial };
  throw badInput('Name the device either by "deviceId", or by "modelCode" and "serial".', {
    field: 'deviceId',
  });
}
