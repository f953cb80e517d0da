import { silentSince } from '../../devices/silent.js';
import type { ModelAdoptionDay } from '../../releases/adoption.js';
import type { ResetDay, BootSummary as Summary } from '../../releases/resets.js';
import { daysCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { DeviceModel } from './device-model.js';
import { Release } from './release.js';
import { ofKind, RESETS } from './reset-counts.js';

/** What boot reports tell of the fleet, of a model and of a version. */

const BootSummary = builder.objectRef<Summary>('BootSummary').implement({
  description:
    'What boot reports said on the last days. Only of devices that exist, are approved, and are of the model now.',
  fields: (t) => ({
    deviceCount: t.exposeInt('deviceCount', { description: 'Devices that reported a boot.' }),
    bootCount: t.exposeInt('bootCount', { description: 'Their boot reports.' }),
    resets: t.field({ ...RESETS, description: 'Why they were reset, the most frequent reason first.' }),
    crashResetCount: t.int({
      description: 'Resets that are crashes: `resets` of the kind `CRASH`.',
      resolve: ofKind('CRASH'),
    }),
    powerResetCount: t.int({
      description: 'Resets by the power supply: `resets` of the kind `POWER`.',
      resolve: ofKind('POWER'),
    }),
    unreportedCrashCount: t.exposeInt('unreportedCrashCount', {
      description:
        'Crashes that only boots tell of: for each device its resets that are crashes, less the crashes that arrived from it. ' +
        'An estimate: a crash that arrives on a later day, or twice as a text and as a dump, changes it.',
    }),
    unreportedCrashDeviceCount: t.exposeInt('unreportedCrashDeviceCount', {
      description: 'Devices with such a crash: `devices(filter: { unreportedCrashDays })` lists them.',
    }),
  }),
});

builder.queryField('boots', (t) =>
  t.field({
    type: BootSummary,
    description: 'What boot reports said on the last days, today included, in UTC.',
    args: {
      days: t.arg.int({ defaultValue: 7, description: 'How many days: 1 to 180, 7 when left out.' }),
      modelCode: t.arg.stringList({ description: 'Only devices of these models.' }),
    },
    resolve: async (_, { days, modelCode }, { services, loaders }) => {
      const filter = await loaders.crashGroups.seriesFilter(modelCode == null ? {} : { modelCode });
      return services.releases.bootSummary(days ?? 7, filter.modelIds);
    },
  }),
);

const ResetBucket = builder.objectRef<ResetDay>('ResetBucket').implement({
  description: 'How runs of a version ended on one day.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'The beginning of the day, in UTC.' }),
    resets: t.field({ ...RESETS, description: 'By reason, the most frequent first.' }),
  }),
});

const ModelAdoptionVersion = builder
  .objectRef<ModelAdoptionDay['versions'][number]>('ModelAdoptionVersion')
  .implement({
    description: 'How many devices ran a version on a day.',
    fields: (t) => ({
      version: t.exposeString('version', { description: 'For example `1.4.0`.' }),
      deviceCount: t.exposeInt('deviceCount', { description: 'Devices that were heard of with it.' }),
    }),
  });

const ModelAdoptionBucket = builder.objectRef<ModelAdoptionDay>('ModelAdoptionBucket').implement({
  description: 'Which versions the devices of a model ran on one day.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'The beginning of the day, in UTC.' }),
    versions: t.expose('versions', {
      type: [ModelAdoptionVersion],
      description:
        'At most 20 versions, that of most devices first. A device that ran two on the day counts with both.',
    }),
  }),
});

const SILENT_DAYS = 7;
const SILENT_ARGUMENT = `Not heard of for this many days: 1 to 365, ${SILENT_DAYS} when left out.`;

builder.objectFields(DeviceModel, (t) => ({
  adoption: t.field({
    type: [ModelAdoptionBucket],
    complexity: daysCost,
    description: 'Which versions its devices ran on the last days. One entry for each day, today last.',
    args: {
      days: t.arg.int({ defaultValue: 30, description: 'How many days: 1 to 180, 30 when left out.' }),
    },
    resolve: ({ id }, { days }, { services }) => services.releases.adoptionOfModel(id, days ?? 30),
  }),
  silentDeviceCount: t.int({
    description: 'Its approved devices that report boots and were not heard of for some days.',
    args: { days: t.arg.int({ defaultValue: SILENT_DAYS, description: SILENT_ARGUMENT }) },
    resolve: ({ id: modelId }, { days }, context) =>
      context.loaders.devices.countSilentOfModel.load({
        modelId,
        since: silentSince(days ?? SILENT_DAYS, context.services.crashGroups.now(), 'days'),
      }),
  }),
}));

builder.objectFields(Release, (t) => ({
  resets: t.field({
    type: [ResetBucket],
    complexity: daysCost,
    description: 'How its runs ended on the last days. One entry for each day, today last.',
    args: {
      days: t.arg.int({ defaultValue: 30, description: 'How many days: 1 to 180, 30 when left out.' }),
    },
    resolve: (release, { days }, { services }) => services.releases.resetDays(release, days ?? 30),
  }),
  silentDeviceCount: t.int({
    description:
      'Devices whose last boot report named the version, and that were not heard of for some days.',
    args: { days: t.arg.int({ defaultValue: SILENT_DAYS, description: SILENT_ARGUMENT }) },
    resolve: ({ modelId, version }, { days }, context) =>
      context.loaders.releases.silent.load({
        ...{ modelId, version },
        since: silentSince(days ?? SILENT_DAYS, context.services.crashGroups.now(), 'days'),
      }),
  }),
}));
