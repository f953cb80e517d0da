import { dayOf } from '../../devices/device-days.js';
import {
  MAX_CRASHES_OF_DAY,
  MAX_TIMELINE_DAYS,
  type TimelineDay,
  type TimelineVersion,
} from '../../devices/timeline.js';
import { badInput } from '../../errors.js';
import { firstCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { Device } from './device.js';
import { RESETS } from './reset-counts.js';

/** What a device did, day by day. */

const DeviceTimelineVersion = builder.objectRef<TimelineVersion>('DeviceTimelineVersion').implement({
  description: 'What a device did with a version on one day.',
  fields: (t) => ({
    version: t.exposeString('version', { description: 'For example `1.4.0`.' }),
    bootCount: t.exposeInt('boots', { description: 'Boot reports that named it.' }),
    crashCount: t.exposeInt('crashes', {
      description: 'Crashes of it that arrived on the day, also where the dump was deleted since.',
    }),
    resets: t.field({ ...RESETS, description: 'How its runs ended, the most frequent reason first.' }),
  }),
});

const DeviceTimelineDay = builder.objectRef<TimelineDay>('DeviceTimelineDay').implement({
  description: 'A day on which something is known of a device.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'The beginning of the day, in UTC.' }),
    versions: t.expose('versions', {
      type: [DeviceTimelineVersion],
      complexity: { field: 1, multiplier: 2 },
      description: 'What it did with each version, that of most boots first.',
    }),
    startedVersions: t.exposeStringList('startedVersions', {
      description:
        'Versions that it booted on the day, and not on the last day before with a boot: its updates. On the first day that is ' +
        'known all of them.',
    }),
    coredumps: t.field({
      type: [Coredump],
      complexity: { field: 1, multiplier: MAX_CRASHES_OF_DAY },
      description: `Its stored crashes that were uploaded on the day, the newest first, at most ${MAX_CRASHES_OF_DAY}: dumps, texts and summaries.`,
      resolve: async ({ coredumpIds }, _, { loaders }) => {
        const rows = await Promise.all(coredumpIds.map((id) => loaders.coredumps.byId.load(id)));
        return rows.filter((row) => row !== null);
      },
    }),
  }),
});

builder.objectField(Device, 'timeline', (t) =>
  t.field({
    type: [DeviceTimelineDay],
    complexity: firstCost,
    description:
      'Days on which it was heard of, the newest first: boots, versions, crashes. Of the last 180 days, and of those of its ' +
      'stored crashes.',
    args: {
      first: t.arg.int({
        defaultValue: 30,
        description: `How many days: 1 to ${MAX_TIMELINE_DAYS}, 30 when left out. Days of which nothing is known do not count.`,
      }),
      before: t.arg({
        type: 'DateTime',
        description: 'Only earlier days: the `start` of the last entry, for the next page.',
      }),
    },
    resolve: ({ id: deviceId }, { first, before }, { loaders }) => {
      const take = first ?? 30;
      if (take < 1 || take > MAX_TIMELINE_DAYS)
        throw badInput(`"first" is from 1 to ${MAX_TIMELINE_DAYS}.`, { field: 'first' });
      return loaders.devices.timeline.load({
        ...{ deviceId, first: take },
        beforeDay: before == null ? null : dayOf(before),
      });
    },
  }),
);
