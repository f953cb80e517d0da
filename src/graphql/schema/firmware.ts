import type { Firmware as FirmwareRow } from '../../firmware/types.js';
import { readWarnings } from '../../firmware/warnings.js';
import { decodeGlobalId } from '../../global-ids.js';
import { arrivalPage } from './arrival-page.js';
import { builder } from './builder.js';
import { DeviceModel, modelOf } from './device-model.js';
import { FirmwareFilterInput, FirmwareOrder, toFirmwareFilter } from './firmware-filter.js';
import { rowIdOf } from './inputs.js';
import { ReportWarning } from './report-warning.js';

export const Firmware = builder.objectRef<FirmwareRow>('Firmware');

builder.node(Firmware, {
  description: 'One build, identified by the SHA-256 of its ELF. A version may have several builds.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.firmwares.byId.load(rowIdOf(id)),
  fields: (t) => ({
    version: t.exposeString('version', {
      description: 'For example `1.4.2`: 1 to 64 of the characters `A-Z a-z 0-9 . _ + -`.',
    }),
    elfVersion: t.exposeString('elfVersion', {
      nullable: true,
      description:
        'The version in the ELF’s application descriptor. It differs from `version` after an upload with ' +
        '`allowVersionMismatch`, or a correction. Null when the ELF has none, and for a build of an earlier release until it is ' +
        'used.',
    }),
    revision: t.exposeString('revision', {
      nullable: true,
      description:
        'The Git commit of its sources, as CI or whoever uploaded it says; null when nobody said it. For example ' +
        '`4d3c2b1a0f9e8d7c6b5a49382716054f3e2d1c0b`.',
    }),
    chip: t.exposeString('chip', {
      nullable: true,
      description:
        'The chip that it was built for, for example `esp32c3`; null when the ELF does not say it.',
    }),
    elfSha256: t.exposeString('elfSha256', {
      description: 'SHA-256 of the ELF file, 64 hexadecimal digits in lower case.',
    }),
    size: t.exposeInt('size', { description: 'Bytes of the ELF.' }),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime', description: 'When it was uploaded first.' }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When it last changed: its upload, a corrected version, its ELF lost or present again.',
      resolve: ({ updatedAt, uploadedAt }) => updatedAt ?? uploadedAt,
    }),
    model: t.field({ type: DeviceModel, description: 'The model whose devices run it.', resolve: modelOf }),
    elfLostAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the server noticed that the storage has lost the ELF: upload the same ELF again. Null while it is there.',
      resolve: ({ id }, _, { loaders }) => loaders.firmwares.elfLostAt.load(id),
    }),
    warnings: t.field({
      type: [ReportWarning],
      description:
        'What the ELF lacks, so that reports made with it lack something: symbols, call frame information, debug ' +
        'information. Empty for an ordinary build.',
      resolve: ({ warnings }) => readWarnings(warnings),
    }),
    coredumpCount: t.int({
      description: 'Stored dumps that were last parsed with this build.',
      resolve: ({ id }, _, { loaders }) => loaders.firmwares.coredumpCount.load(id),
    }),
  }),
});

export const FirmwareConnection = builder.connectionObject({ type: Firmware, name: 'FirmwareConnection' });

const FILTER = { type: FirmwareFilterInput, description: 'Which builds; all when left out.' } as const;
const ORDER = { type: FirmwareOrder, description: 'Newest first when left out.' } as const;

builder.objectField(DeviceModel, 'firmwares', (t) =>
  t.connection(
    {
      type: Firmware,
      description: 'Its stored builds. One SQL statement, however many models a request asks.',
      args: { filter: t.arg(FILTER), orderBy: t.arg(ORDER) },
      resolve: ({ id: parentId }, { filter: input, ...args }, { loaders }) => {
        const filter = toFirmwareFilter(input);
        return arrivalPage(
          args,
          (window) => loaders.firmwares.ofModel.load({ parentId, filter, window }),
          () => loaders.firmwares.countOfModel.load({ parentId, filter }),
        );
      },
    },
    FirmwareConnection,
  ),
);

builder.queryFields((t) => ({
  firmwares: t.connection(
    {
      type: Firmware,
      description: 'Stored builds of all models.',
      args: { filter: t.arg(FILTER), orderBy: t.arg(ORDER) },
      resolve: (_, { filter: input, ...args }, { services }) => {
        const filter = toFirmwareFilter(input);
        return arrivalPage(
          args,
          (window) => services.firmwares.list(filter, window),
          () => services.firmwares.count(filter),
        );
      },
    },
    FirmwareConnection,
  ),
  firmware: t.field({
    type: Firmware,
    nullable: true,
    description: 'The build with this id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Global id of the build.' }) },
    resolve: (_, { id }, { loaders }) => {
      const firmwareId = decodeGlobalId('Firmware', String(id));
      return firmwareId === null ? null : loaders.firmwares.byId.load(firmwareId);
    },
  }),
}));
