import { seriesRange, type TimeUnit as Unit, zeroFilled } from '../../crash-groups/crash-series.js';
import { seriesCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { checkedFilter } from './inputs.js';

export const TimeUnit = builder.enumType('TimeUnit', {
  description: 'The width of a column of a chart. Values may be added.',
  values: {
    HOUR: { description: 'Hours of the clock, in UTC.' },
    DAY: { description: 'Days: in UTC, or in the `timeZone` that is given.' },
  } satisfies Record<Unit, object>,
});

interface CrashBucketRow {
  start: Date;
  count: number;
}

export const CrashBucket = builder.objectRef<CrashBucketRow>('CrashBucket').implement({
  description: 'One column of a chart.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'When the hour or day begins.' }),
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

export const TIME_ZONE = {
  description:
    'Days begin at midnight of this zone, a name of the time zone database: `Europe/Berlin`. UTC when left out. Where ' +
    'midnight is not at a full hour of UTC, crashes count by whole hours, half an hour off at most. Hours are the same in ' +
    'all zones. At most 92 days.',
} as const;

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
      timeZone: t.arg.string(TIME_ZONE),
      filter: t.arg({ type: CrashFilterInput, description: 'Only these crashes.' }),
    },
    resolve: async (_, { filter: input, ...args }, { services, loaders }) => {
      const range = seriesRange(args, services.crashGroups.now());
      const filter = await loaders.crashGroups.seriesFilter(checkedFilter(input ?? {}));
      return zeroFilled(range, await services.crashGroups.series(range, filter));
    },
  }),
);

builder.queryField('crashesRecordedSince', (t) =>
  t.field({
    type: 'DateTime',
    description:
      'When the records of crashes begin: the installation of this server, or the first crash where an earlier one was ' +
      'imported. Charts have no data before it; afterwards a column without a crash means that none arrived.',
    resolve: (_, __, { services }) => services.crashGroups.recordedSince(),
  }),
);
