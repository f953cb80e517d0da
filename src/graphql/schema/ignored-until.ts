import type { CrashGroupRow } from '../../crash-groups/types.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';

export const IgnoreUntil = builder.inputType('IgnoreUntil', {
  description: 'What ends the state IGNORED. Exactly one of the fields, e.g. `{ crashes: 100 }`.',
  fields: (t) => ({
    crashes: t.int({
      description:
        'So many further crashes, 1 to 1,000,000. Crashes from before, which are only read later, do not count.',
    }),
    at: t.field({ type: 'DateTime', description: 'A time in the future, within ten years.' }),
    version: t.string({
      description:
        'A crash of this version or a later one, 1 to 64 characters. Versions are ordered as in Semantic Versioning; where ' +
        'they have no order, only this very version ends it.',
    }),
  }),
});

const IgnoredUntil = builder.objectRef<CrashGroupRow>('IgnoredUntil').implement({
  description: 'What opens an ignored group again by itself. One of the fields has a value.',
  fields: (t) => ({
    crashesLeft: t.int({
      nullable: true,
      description: 'How many further crashes it still takes.',
      resolve: ({ ignoredUntilCount, count }) =>
        ignoredUntilCount === null ? null : Math.max(ignoredUntilCount - count, 1),
    }),
    at: t.expose('ignoredUntilAt', { type: 'DateTime', nullable: true, description: 'The time.' }),
    version: t.exposeString('ignoredUntilVersion', {
      nullable: true,
      description: 'A crash of this version or a later one: `1.4.0`.',
    }),
  }),
});

builder.objectField(CrashGroup, 'ignoredUntil', (t) =>
  t.field({
    type: IgnoredUntil,
    nullable: true,
    description: 'What opens it again by itself. Null: it is not ignored, or only a person opens it.',
    resolve: (group) => {
      const { ignoredUntilCount, ignoredUntilAt, ignoredUntilVersion } = group;
      return (ignoredUntilCount ?? ignoredUntilAt ?? ignoredUntilVersion) === null ? null : group;
    },
  }),
);

builder.objectField(CrashGroup, 'ticketUrl', (t) =>
  t.exposeString('ticketUrl', {
    nullable: true,
    description:
      'Where people follow the bug: an address that begins with https://, at most 2,000 characters. Null: none.',
  }),
);
