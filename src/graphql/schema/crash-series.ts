import { seriesRange, type TimeUnit as Unit, zeroFilled } from '../../crash-groups/crash-series.js';
import { seriesCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { checkedFilter } from './inputs.js';

export const TimeUnit = builder.enumType('TimeUnit', {
  description: 'The width of a column of a chart. Values may be added.',
  values: {
    HOUR: { description: 'Hours of the clock, in UTC.' },
    DAY: { description: 'Days, in UTC.' },
  } satisfies Record<Unit, object>,
});

interface CrashBucketRow {
  start: Date;
  count: number;
}

export const CrashBucket = builder.objectRef<CrashBucketRow>('CrashBucket').implement({
  description: 'One column of a chart.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'The beginning of the hour or day, in UTC.' }),
    count: t.exposeInt('count', { description: 'Crashes that were uploaded in this hour or day.' }),
  }),
});

export const CrashFilterInput = builder.inputType('CrashFilter', {
  description: 'Fields that are left out do not filter. A list means "one of".',
  fields: (t) => ({
    modelCode: t.stringList({
      description: 'Codes of the models that the devices were of when they crashed.',
    }),
    firmwareVersion: t.stringList({ description: 'Versions of the crashed firmware, exactly.' }),
  }),
});

export const TIME_SERIES =
  'One entry for each hour or day from `from` (inclusive) to `to` (exclusive), also where nothing crashed; at most ' +
  '1008. Without both, the last 48 hours or 30 days. Crashes of deleted dumps stay counted; a dump is counted when its ' +
  'first parse ends.';

builder.queryField('crashes', (t) =>
  t.field({
    type: [CrashBucket],
    description: `Crashes of the whole fleet. ${TIME_SERIES}`,
    complexity: seriesCost,
    args: {
      unit: t.arg({ type: TimeUnit, required: true, description: 'Hours or days.' }),
      from: t.arg({ type: 'DateTime', description: 'Inclusive; its hour or day is the first.' }),
      to: t.arg({
        type: 'DateTime',
        description: 'Exclusive. The current hour or day is the last when left out.',
      }),
      filter: t.arg({ type: CrashFilterInput, description: 'Only these crashes.' }),
    },
    resolve: async (_, { filter: input, ...args }, { services, loaders }) => {
      const range = seriesRange(args, services.crashGroups.now());
      const filter = await loaders.crashGroups.seriesFilter(checkedFilter(input ?? {}));
      return zeroFilled(range, await services.crashGroups.series(range, filter));
    },
  }),
);
