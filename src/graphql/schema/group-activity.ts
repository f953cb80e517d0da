import { ACTIVITY_KINDS, type ActivityKind, type GroupActivityRow } from '../../crash-groups/activity.js';
import { isByPerson } from '../../crash-groups/comments.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { rowIdOf } from './inputs.js';
import { page } from './pages.js';

const DESCRIPTIONS: Record<ActivityKind | 'OTHER', string> = {
  COMMENT: 'A person said something. Text: the comment, with its line breaks.',
  RESOLVED: 'A person resolved it. Text: the version with the fix, `1.3.0`; null: the next one.',
  REOPENED: 'A person opened it again.',
  IGNORED:
    'A person set it to be ignored. Text: until when: `100 crashes`, `version 1.4.0` or a time, `2026-12-01T08:00:00.000Z`; ' +
    'null: until a person opens it.',
  IGNORE_ENDED:
    'The server opened it again, because what it was ignored until has come. Text: `230 crashes`, `version 1.4.1` or the time.',
  REGRESSED: 'It crashed again after it was resolved. Text: the version of that crash.',
  ASSIGNED: 'A person gave it to somebody. Text: to whom.',
  UNASSIGNED: 'A person took it from whom it was assigned to.',
  NOTED: 'A person changed its note. Text: the beginning of the new note; null: it was removed.',
  TICKET: 'A person set the address of its ticket. Text: the address; null: it was removed.',
  MERGED: 'It took in another group. Text: the title of that group.',
  SPLIT: 'Fingerprints moved out of it, or into it. Text: `into` or `from` and the title of the other group.',
  MOVED: 'All crashes of another group moved here when they were read again. Text: the title of that group.',
  TAGGED: 'It got a tag. Text: the name of the tag.',
  UNTAGGED: 'It lost a tag. Text: the name of the tag.',
  OTHER: 'Something that this version has no value for.',
};

const GroupActivityKind = builder.enumType('GroupActivityKind', {
  description:
    'What happened to a crash group. Values may be added: treat one that you do not know as OTHER.',
  values: Object.fromEntries(
    [...ACTIVITY_KINDS, 'OTHER' as const].map((kind) => [kind, { description: DESCRIPTIONS[kind] }]),
  ) as Record<ActivityKind | 'OTHER', { description: string }>,
});

export const GroupActivity = builder.objectRef<GroupActivityRow>('GroupActivity');

builder.node(GroupActivity, {
  description: 'Something that a person or the server did with a crash group, or a comment on it.',
  id: { resolve: ({ id }) => id },
  loadOne: (id, { loaders }) => loaders.crashGroups.activityById.load(rowIdOf(id)),
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    kind: t.field({
      type: GroupActivityKind,
      description: 'What happened.',
      resolve: ({ kind }) => kind ?? 'OTHER',
    }),
    actor: t.exposeString('actor', {
      nullable: true,
      description:
        'Who did it: the name in the issuer’s token, or `token` and the first digits of a static token’s digest; ' +
        '`anybody` without authentication. Null: the server itself.',
    }),
    text: t.exposeString('text', {
      nullable: true,
      description:
        'Of a comment what it says: plain text, at most 4,000 characters. Otherwise the detail, as its kind says; at most ' +
        '1,000 characters. Null where there is nothing to add.',
    }),
    editedAt: t.expose('editedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the author last changed the comment; null: never.',
    }),
    isOwn: t.boolean({
      description: 'Whether it was done by whoever asks: own comments can be changed and deleted.',
      resolve: (activity, _, { person }) => isByPerson(activity, person),
    }),
  }),
});

const GroupActivityConnection = builder.connectionObject({
  type: GroupActivity,
  name: 'GroupActivityConnection',
});

builder.objectField(CrashGroup, 'activity', (t) =>
  t.connection(
    {
      type: GroupActivity,
      description:
        'What people and the server did with it, and what people say about it, newest first; of the groups that it took in, ' +
        'too. What people did before there was activity is there as far as the audit reached back then.',
      resolve: ({ id }, args, { loaders }) =>
        page(
          args,
          (window) => loaders.crashGroups.activity.load({ id, window }),
          () => loaders.crashGroups.activityCount.load(id),
        ),
    },
    GroupActivityConnection,
  ),
);

builder.objectField(CrashGroup, 'activityAt', (t) =>
  t.expose('activityAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When its activity or its tags last changed; null: never.',
  }),
);
