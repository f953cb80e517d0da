import { GROUP_ACTIONS, type GroupAction, type GroupEventRow } from '../../crash-groups/history.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { page } from './pages.js';

const DESCRIPTIONS: Record<GroupAction, string> = {
  RESOLVED: 'It was resolved. Detail: `in 1.3.0`, or `in the next version`.',
  IGNORED: 'It was set to be ignored.',
  REOPENED:
    'A person opened it again. Regressions are not in the history: `CrashGroup.regressedAt` has the last one.',
  ASSIGNED: 'Detail: `to ada`, or `to nobody`.',
  NOTED: 'Its note was changed. Detail: the beginning of the new note, or `removed`.',
  MERGED: 'It took in other groups. Detail: their numbers.',
  SPLIT: 'Fingerprints were moved out of it, or it came out of another group. Detail: which, and where.',
  TAGGED: 'Its tags were changed. Detail: `added wifi; removed vendor`.',
  CHANGED: 'Something that this version has no value for.',
};

const CrashGroupAction = builder.enumType('CrashGroupAction', {
  description: 'What a person did to a crash group. Values may be added.',
  values: Object.fromEntries(
    GROUP_ACTIONS.map((action) => [action, { description: DESCRIPTIONS[action] }]),
  ) as Record<GroupAction, { description: string }>,
});

const CrashGroupEvent = builder.objectRef<GroupEventRow>('CrashGroupEvent').implement({
  description: 'A change of a crash group by a person.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it was changed.' }),
    actor: t.exposeString('actor', {
      description:
        'Who did it: the name in the issuer’s token, or `token` and the first digits of a static token’s digest; ' +
        '`anybody` without authentication.',
    }),
    action: t.expose('action', { type: CrashGroupAction, description: 'What was done.' }),
    detail: t.exposeString('detail', {
      nullable: true,
      description:
        'To whom, in which version and so on, in words, at most 1000 characters. Null where there is nothing to add, ' +
        'and for changes that earlier releases noted.',
    }),
  }),
});

const CrashGroupEventConnection = builder.connectionObject({
  type: CrashGroupEvent,
  name: 'CrashGroupEventConnection',
});

builder.objectField(CrashGroup, 'history', (t) =>
  t.connection(
    {
      type: CrashGroupEvent,
      description:
        'What people did to it, newest first, also to the groups that it took in. It reaches as far back as the audit ' +
        '(`AUDIT_DAYS`). `activity` has comments and what the server did, too, and stays.',
      resolve: ({ id }, args, { loaders }) =>
        page(
          args,
          (window) => loaders.crashGroups.history.load({ id, window }),
          () => loaders.crashGroups.historyCount.load(id),
        ),
    },
    CrashGroupEventConnection,
  ),
);
