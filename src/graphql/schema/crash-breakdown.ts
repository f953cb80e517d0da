import {
  type Breakdown,
  CRASH_DIMENSIONS,
  type CrashSeriesRow,
  checkedSeriesCount,
  type CrashDimension as Dimension,
} from '../../crash-groups/crash-breakdown.js';
import {
  type SeriesRange,
  seriesRange,
  type TimeUnit as Unit,
  zeroFilled,
} from '../../crash-groups/crash-series.js';
import type { DeviceModelRow } from '../../devices/types.js';
import { breakdownCost, COUNTED_ABOVE } from '../limits/field-costs.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { CrashGroup } from './crash-group.js';
import { CrashBucket, CrashFilterInput, TIME_ZONE, TimeUnit } from './crash-series.js';
import { DeviceModel } from './device-model.js';
import { checkedFilter } from './inputs.js';

const DIMENSIONS: Record<Dimension, string> = {
  FIRMWARE_VERSION: 'The version of the crashed firmware, over all models.',
  MODEL: 'The model that the device was of when it crashed.',
};

const CrashDimension = builder.enumType('CrashDimension', {
  description: 'What crashes can be broken down by. Values may be added.',
  values: Object.fromEntries(
    CRASH_DIMENSIONS.map((dimension) => [dimension, { description: DIMENSIONS[dimension] }]),
  ) as Record<Dimension, { description: string }>,
});

type Series = CrashSeriesRow & { range: SeriesRange };

const isRest = ({ firmwareVersion, modelId }: CrashSeriesRow) => firmwareVersion === null && modelId === null;

const modelOf = async ({ modelId }: CrashSeriesRow, { loaders }: Context): Promise<DeviceModelRow | null> =>
  modelId === null ? null : loaders.devices.modelById.load(modelId);

const CrashSeries = builder.objectRef<Series>('CrashSeries').implement({
  description: 'The crashes of one version or model over time, or of all the others together.',
  fields: (t) => ({
    key: t.string({
      nullable: true,
      description: 'The version, or the model’s code. Null for the rest, and for a model that was deleted.',
      resolve: async (series, _, context) =>
        series.firmwareVersion ?? (await modelOf(series, context))?.code ?? null,
    }),
    firmwareVersion: t.exposeString('firmwareVersion', {
      nullable: true,
      description: 'The version; null when the crashes are broken down by something else, and for the rest.',
    }),
    model: t.field({
      type: DeviceModel,
      nullable: true,
      description:
        'The model; null when the crashes are broken down by something else, for the rest, and when it was deleted.',
      resolve: (series, _, context) => modelOf(series, context),
    }),
    isRest: t.boolean({
      description:
        'The crashes of all that have no series of their own. It is the last of the list, if there are any.',
      resolve: isRest,
    }),
    count: t.exposeInt('count', { description: 'Crashes of the whole time: the sum of the buckets.' }),
    buckets: t.field({
      type: [CrashBucket],
      complexity: COUNTED_ABOVE,
      description:
        'One entry for each hour or day, also where nothing crashed; the same times in every series.',
      resolve: ({ range, counts }) => zeroFilled(range, counts),
    }),
  }),
});

const BROKEN_DOWN =
  'One series for each version or model with crashes in the time, the most crashes first, and one for the rest. Time and ' +
  'filter are those of `crashes`; so are the sums.';

interface Arguments {
  by: Dimension;
  unit: Unit;
  from?: Date | null | undefined;
  to?: Date | null | undefined;
  timeZone?: string | null | undefined;
  filter?: typeof CrashFilterInput.$inferInput | null | undefined;
  first?: number | null | undefined;
}

async function questionOf({ by, unit, filter, first, ...times }: Arguments, { services, loaders }: Context) {
  return {
    by,
    range: seriesRange({ unit, ...times }, services.crashGroups.now()),
    filter: await loaders.crashGroups.seriesFilter(checkedFilter(filter ?? {})),
    take: checkedSeriesCount(first ?? DEFAULT_SERIES),
  };
}

const DEFAULT_SERIES = 10;

const withRange = (breakdown: Breakdown, range: SeriesRange): Series[] =>
  breakdown.map((series) => ({ ...series, range }));

const FIRST = 'Series at most, without the rest: from 1 to 50.';

builder.queryField('crashBreakdown', (t) =>
  t.field({
    type: [CrashSeries],
    description: `Crashes of the whole fleet by version or model. ${BROKEN_DOWN}`,
    complexity: breakdownCost,
    args: {
      by: t.arg({ type: CrashDimension, required: true, description: 'What makes a series.' }),
      unit: t.arg({ type: TimeUnit, required: true, description: 'Hours or days.' }),
      from: t.arg({ type: 'DateTime', description: 'Inclusive; its hour or day is the first.' }),
      to: t.arg({
        type: 'DateTime',
        description: 'Exclusive. The current hour or day is the last when left out.',
      }),
      timeZone: t.arg.string(TIME_ZONE),
      filter: t.arg({ type: CrashFilterInput, description: 'Only these crashes.' }),
      first: t.arg.int({ defaultValue: DEFAULT_SERIES, description: FIRST }),
    },
    resolve: async (_, args, context) => {
      const question = await questionOf(args, context);
      return withRange(await context.services.crashGroups.breakdown(question), question.range);
    },
  }),
);

builder.objectField(CrashGroup, 'crashBreakdown', (t) =>
  t.field({
    type: [CrashSeries],
    description: `Its crashes by version or model. ${BROKEN_DOWN}`,
    complexity: breakdownCost,
    args: {
      by: t.arg({ type: CrashDimension, required: true, description: 'What makes a series.' }),
      unit: t.arg({ type: TimeUnit, required: true, description: 'Hours or days.' }),
      from: t.arg({ type: 'DateTime', description: 'Inclusive; its hour or day is the first.' }),
      to: t.arg({
        type: 'DateTime',
        description: 'Exclusive. The current hour or day is the last when left out.',
      }),
      timeZone: t.arg.string(TIME_ZONE),
      filter: t.arg({ type: CrashFilterInput, description: 'Only these crashes.' }),
      first: t.arg.int({ defaultValue: DEFAULT_SERIES, description: FIRST }),
    },
    resolve: async ({ id }, args, context) => {
      const question = await questionOf(args, context);
      return withRange(await context.loaders.crashGroups.breakdown.load({ id, question }), question.range);
    },
  }),
);
