import { compareUrlOf } from '../../devices/model-links.js';
import { badInput } from '../../errors.js';
import type { AdoptionDay } from '../../releases/adoption.js';
import { type ReleaseHealth as Health, NO_HEALTH } from '../../releases/health.js';
import { compareWith } from '../../releases/read.js';
import {
  crashesPerDeviceDay,
  crashFreeRunShare,
  crashFreeShare,
  judge,
  type UNKNOWN_REASONS,
  type UnknownReason,
  type VERDICTS,
  type Verdict,
  whyUnknown,
} from '../../releases/verdict.js';
import type { ReleaseRow } from '../../releases/versions.js';
import { daysCost, firstCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { DeviceModel, modelOf } from './device-model.js';
import { Firmware } from './firmware.js';
import { ofKind, RESETS } from './reset-counts.js';

/** One version of a model, compared with another one. Its groups are in `release-groups.ts`. */
export const Release = builder.objectRef<ReleaseRow>('Release');

const ReleaseUnknown = builder.enumType('ReleaseUnknown', {
  description: 'Why shares and rates of a version are not known. Values may be added.',
  values: {
    NO_DEVICES: { description: 'No device was heard of with the version in the last 180 days.' },
    NO_BOOT_REPORTS: {
      description:
        'Devices crashed with the version, and none reported a boot: nobody knows how many run it.',
    },
  } satisfies Record<(typeof UNKNOWN_REASONS)[number], object> as Record<UnknownReason, object>,
});

const ReleaseVerdict = builder.enumType('ReleaseVerdict', {
  description:
    'Whether a version does better or worse than the one that it is compared with. Values may be added.',
  values: {
    BETTER: { description: 'It has crashes on a smaller share of the days of devices.' },
    WORSE: { description: 'It has crashes on a larger share of the days of devices.' },
    SIMILAR: { description: 'The difference may be chance.' },
    UNKNOWN: { description: 'Too little is known of one of them.' },
  } satisfies Record<(typeof VERDICTS)[number], object> as Record<Verdict, object>,
});

const ReleaseHealth = builder.objectRef<Health>('ReleaseHealth').implement({
  description:
    'How a version does, by what was heard of its devices in the last 180 days: boot reports, and crashes on the day of ' +
    'their upload. Only of devices that exist, are approved, and are of the model now.',
  fields: (t) => ({
    deviceCount: t.exposeInt('deviceCount', {
      description: 'Devices that were heard of with the version, by a boot report or a crash.',
    }),
    crashedDeviceCount: t.exposeInt('crashedDeviceCount', {
      description:
        'Those of them that crashed with it: a crash arrived, or a boot says that a crash was before it.',
    }),
    crashCount: t.exposeInt('crashCount', { description: 'Their crashes that arrived.' }),
    bootCount: t.exposeInt('bootCount', { description: 'Their boot reports.' }),
    resets: t.field({
      ...RESETS,
      description:
        'How its runs ended, by the boot reports after them, the most frequent reason first. A reset counts for the version that ' +
        'ran before it; a device’s first report, before which nobody knows what ran, for the version that it names.',
    }),
    crashResetCount: t.int({
      description: 'Resets that are crashes, with or without a dump: `resets` of the kind `CRASH`.',
      resolve: ofKind('CRASH'),
    }),
    powerResetCount: t.int({
      description: 'Resets by the power supply: `resets` of the kind `POWER`.',
      resolve: ofKind('POWER'),
    }),
    unreportedCrashCount: t.exposeInt('unreportedCrashCount', {
      description:
        'Crashes that only boots tell of: for each device its resets that are crashes, less the crashes that arrived from it. ' +
        'An estimate: a crash that arrives twice, as a text and as a dump, hides one.',
    }),
    sessionCount: t.exposeInt('runCount', {
      description: 'Runs that ended, by the boot reports after them. A run that still lasts is not counted.',
    }),
    crashedSessionCount: t.exposeInt('crashedRunCount', { description: 'Those of them that a crash ended.' }),
    crashFreeSessionShare: t.float({
      nullable: true,
      description: 'Share of ended runs that no crash ended, from 0 to 1: 0.998. Null when none is known.',
      resolve: crashFreeRunShare,
    }),
    sessionSeconds: t.exposeFloat('runSeconds', {
      description: 'How long the runs lasted together, in seconds, as far as devices told it.',
    }),
    timedSessionCount: t.exposeInt('timedRunCount', {
      description:
        'Runs whose length devices told: `sessionSeconds` is of these. After power on no device knows it.',
    }),
    reportingDeviceCount: t.exposeInt('reportingDeviceCount', {
      description: 'Devices that reported a boot with the version. Shares and rates are of these.',
    }),
    deviceDayCount: t.int({
      description:
        'Days on which these were heard of, or on which a run of theirs ended, added up over the devices: 3 devices on 4 days ' +
        'each are 12.',
      resolve: ({ reportingDays }) => reportingDays,
    }),
    crashesPerDeviceDay: t.float({
      nullable: true,
      description:
        'Crashes on a day of a device, those included that only boots tell of: 0.02 are 2 on 100 days. Null when not known.',
      resolve: crashesPerDeviceDay,
    }),
    crashFreeShare: t.float({
      nullable: true,
      description:
        'Share of devices that never crashed with the version, from 0 to 1: 0.98. Null when not known.',
      resolve: crashFreeShare,
    }),
    unknownBecause: t.field({
      type: ReleaseUnknown,
      nullable: true,
      description: 'Why share and rate are not known; null when they are.',
      resolve: whyUnknown,
    }),
  }),
});

const ReleaseComparison = builder
  .objectRef<{ verdict: Verdict; reason: string }>('ReleaseComparison')
  .implement({
    description: 'A version against the one that it is compared with.',
    fields: (t) => ({
      verdict: t.expose('verdict', { type: ReleaseVerdict, description: 'Whether it does better or worse.' }),
      reason: t.exposeString('reason', {
        description: 'Why, in a sentence: `0.010 crashes per device and day, 0.052 in 1.3.0.`',
      }),
    }),
  });

const AdoptionBucket = builder.objectRef<AdoptionDay>('AdoptionBucket').implement({
  description: 'Which versions the devices that were heard of on one day ran. Each device counts once.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'The beginning of the day, in UTC.' }),
    deviceCount: t.exposeInt('deviceCount', { description: 'Devices with the version.' }),
    comparedDeviceCount: t.exposeInt('comparedDeviceCount', {
      description: 'Devices without it, and with the version that it is compared with.',
    }),
    otherDeviceCount: t.exposeInt('otherDeviceCount', { description: 'Devices with other versions only.' }),
  }),
});

builder.objectType(Release, {
  description:
    'A version of a model’s firmware, compared with another one. A model has all the versions of which a build is stored, a ' +
    'device was heard of, or a crash was counted.',
  fields: (t) => ({
    model: t.field({ type: DeviceModel, description: 'The model.', resolve: modelOf }),
    version: t.exposeString('version', { description: 'For example `1.4.0`.' }),
    comparedTo: t.field({
      type: Release,
      nullable: true,
      description:
        'The version that it is compared with: the one before it, unless another one was asked for. Null when there is none.',
      resolve: async ({ modelId, comparedTo }, _, { loaders }) =>
        (await loaders.releases.ofModel.load(modelId)).find(({ version }) => version === comparedTo) ?? null,
    }),
    firstSeenAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When its first stored build was uploaded, or the day on which a device was first heard of with it. Null: more than 180 days ago.',
      resolve: ({ firstSeenAt }) => firstSeenAt,
    }),
    lastHeardAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'The beginning of the last day on which a device was heard of with it, in UTC. Null: of none in the last 180 days.',
      resolve: ({ lastHeardAt }) => lastHeardAt,
    }),
    firmwares: t.field({
      type: [Firmware],
      description: 'Its stored builds, the newest first. Not a connection: a version has a few.',
      resolve: (release, _, { loaders }) => loaders.releases.builds.load(release),
    }),
    health: t.field({
      type: ReleaseHealth,
      description: 'How many devices ran it and crashed.',
      resolve: (release, _, { loaders }) => loaders.releases.health.load(release),
    }),
    comparison: t.field({
      type: ReleaseComparison,
      description: 'Whether it does better or worse, and why.',
      resolve: async (release, _, context) => {
        const { own, compared } = await healthsOf(release, context);
        const before = release.comparedTo === null ? null : { version: release.comparedTo, health: compared };
        return judge({ version: release.version, health: own }, before);
      },
    }),
    compareUrl: t.string({
      nullable: true,
      description:
        'Where the sources of the newest builds of both versions are compared, by the model’s `links.compareUrl`. Null without ' +
        'that, or where a revision is not known.',
      resolve: async ({ modelId, version, comparedTo }, _, { loaders }) => {
        if (comparedTo === null) return null;
        const [links, ...revisions] = await Promise.all([
          loaders.devices.linksOfModel.load(modelId),
          ...[comparedTo, version].map(async (each) => {
            const [newest] = await loaders.releases.builds.load({ modelId, version: each });
            return newest?.revision ?? null;
          }),
        ]);
        const [from = null, to = null] = revisions;
        return compareUrlOf(links, from, to);
      },
    }),
    runningDeviceCount: t.int({
      description: 'Devices whose last boot report named the version.',
      resolve: (release, _, { loaders }) => loaders.releases.running.load(release),
    }),
    waitingCoredumpCount: t.int({
      description: 'Dumps of the version that wait for a build. They are read again once it is uploaded.',
      resolve: (release, _, { loaders }) => loaders.releases.waiting.load(release),
    }),
    adoption: t.field({
      type: [AdoptionBucket],
      complexity: daysCost,
      description: 'Which versions the devices ran on the last days. One entry for each day, today last.',
      args: {
        days: t.arg.int({
          defaultValue: 30,
          description: 'How many days: 1 to 180, 30 when left out.',
        }),
      },
      resolve: (release, { days }, { services }) => services.releases.adoption(release, days ?? 30),
    }),
  }),
});

/** Of the version, and of the one that it is compared with. */
export async function healthsOf(
  release: ReleaseRow,
  { loaders }: Pick<Context, 'loaders'>,
): Promise<{ own: Health; compared: Health }> {
  const { modelId, comparedTo } = release;
  const [own, compared] = await Promise.all([
    loaders.releases.health.load(release),
    comparedTo === null ? NO_HEALTH : loaders.releases.health.load({ modelId, version: comparedTo }),
  ]);
  return { own, compared };
}

builder.queryField('release', (t) =>
  t.field({
    type: Release,
    nullable: true,
    description:
      'A version of a model against another one. Null when nothing is known of the model or the version.',
    args: {
      modelCode: t.arg.string({ required: true, description: 'Code of the model: `thermostat`.' }),
      version: t.arg.string({ required: true, description: 'The whole version: `1.4.0`.' }),
      comparedTo: t.arg.string({
        description: 'The version to compare it with; the one before it when left out.',
      }),
    },
    resolve: async (_, { modelCode, version, comparedTo }, { services, loaders }) => {
      const model = await services.devices.getModel(modelCode);
      if (model === null) return null;
      const releases = await loaders.releases.ofModel.load(model.id);
      const release = releases.find((each) => each.version === version);
      if (release === undefined) return null;
      return comparedTo == null ? release : compareWith(releases, release, comparedTo);
    },
  }),
);

const MAX_VERSIONS = 200;

builder.objectField(DeviceModel, 'versions', (t) =>
  t.field({
    type: [Release],
    complexity: firstCost,
    description:
      'Its versions, the newest first, each compared with the one before it. Versions that are none by Semantic Versioning ' +
      'have their place by time.',
    args: {
      first: t.arg.int({ defaultValue: 20, description: 'How many: 1 to 200, 20 when left out.' }),
    },
    resolve: async ({ id }, { first }, { loaders }) => {
      const take = first ?? 20;
      if (take < 1 || take > MAX_VERSIONS)
        throw badInput(`"first" is from 1 to ${MAX_VERSIONS}.`, { field: 'first' });
      return (await loaders.releases.ofModel.load(id)).slice(0, take);
    },
  }),
);
