import type { CrashFreeDay } from '../../crash-groups/crash-days.js';
import { seriesRange } from '../../crash-groups/crash-series.js';
import { seriesCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { TimeUnit } from './crash-series.js';

const CrashFreeBucket = builder.objectRef<CrashFreeDay>('CrashFreeBucket').implement({
  description: 'How many devices did not crash on one day.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'The beginning of the day, in UTC.' }),
    deviceCount: t.exposeInt('deviceCount', {
      description:
        'Devices that existed before the day was over. Devices that were deleted since are not counted.',
    }),
    crashedDeviceCount: t.exposeInt('crashedDeviceCount', {
      description: 'Those of them that crashed on the day, each once, also where the dump was deleted since.',
    }),
    crashFreeShare: t.float({
      nullable: true,
      description: 'Share of devices that did not crash, from 0 to 1: 0.98. Null without devices.',
      resolve: ({ deviceCount, crashedDeviceCount }) =>
        deviceCount === 0 ? null : 1 - crashedDeviceCount / deviceCount,
    }),
  }),
});

builder.queryField('crashFreeDevices', (t) =>
  t.field({
    type: [CrashFreeBucket],
    description:
      'Devices without a crash over time. One entry for each day from `from` (inclusive) to `to` (exclusive), at most ' +
      '1008; the last 30 days without both. A crash belongs to the day of its upload, or of the boot after it. Days before ' +
      'the release that began to note them know only the dumps that were stored then.',
    complexity: ({ unit, ...times }) => seriesCost({ unit: unit, ...times }),
    args: {
      unit: t.arg({
        type: TimeUnit,
        required: true,
        defaultValue: 'DAY',
        description: 'Only `DAY`: what crashed in an hour is not noted.',
      }),
      from: t.arg({ type: 'DateTime', description: 'Inclusive; its day is the first.' }),
      to: t.arg({ type: 'DateTime', description: 'Exclusive. Today is the last day when left out.' }),
      modelCode: t.arg.stringList({
        description: 'Only devices of these models, and crashes that they had as such.',
      }),
    },
    resolve: async (_, { unit, modelCode, ...times }, { services, loaders }) => {
      const range = seriesRange({ unit, ...times }, services.crashGroups.now());
      const filter = await loaders.crashGroups.seriesFilter(modelCode == null ? {} : { modelCode });
      return services.crashGroups.crashFreeDays(range, filter);
    },
  }),
);
