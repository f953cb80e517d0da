import type { RefusedUndo } from '../../crash-groups/undo.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { CrashGroupState } from './crash-group-filter.js';
import { IgnoreUntil } from './ignored-until.js';
import { present, requireId } from './inputs.js';

builder.relayMutationField(
  'changeCrashGroups',
  {
    inputFields: (t) => ({
      groupIds: t.idList({
        required: true,
        description: 'Global ids, 1 to 200. That of a merged group stands for the group that took it in.',
      }),
      state: t.field({ type: CrashGroupState, description: 'The new state.' }),
      resolvedInVersion: t.string({
        description:
          'With the state RESOLVED: the version with the fix, 1 to 64 characters; when left out: the next one.',
      }),
      ignoreUntil: t.field({
        type: IgnoreUntil,
        description:
          'With the state IGNORED: what opens them again by itself; when left out: only a person does.',
      }),
      assignee: t.string({
        description: 'Any name, 1 to 200 characters; null for nobody. When left out, assignees stay.',
      }),
    }),
  },
  {
    description:
      'Sets state or assignee of many groups: all of them or none. When a group does not exist, NOT_FOUND names its id. ' +
      '`restoreCrashGroups` undoes it. The audit has an event for each group and each thing that was set.',
    resolve: (_, { input: { groupIds, state, resolvedInVersion, ignoreUntil, assignee } }, { services }) =>
      services.crashGroups.changeMany(
        groupIds.map((id) => requireId('CrashGroup', id, 'groupIds')),
        {
          ...present({ state, resolvedInVersion }),
          ...(ignoreUntil == null ? {} : { ignoreUntil: present(ignoreUntil) }),
          ...(assignee === undefined ? {} : { assignee }),
        },
      ),
  },
  {
    outputFields: (t) => ({
      groups: t.field({
        type: [CrashGroup],
        description: 'The groups after the change, in the order of `groupIds`, each once.',
        resolve: ({ groups }) => groups,
      }),
      undo: t.field({
        type: ['String'],
        description:
          'What `restoreCrashGroups` takes to undo the change: a text for each group, at most 2,000 characters. Opaque; ' +
          'valid until the group is changed again.',
        resolve: ({ undo }) => undo,
      }),
    }),
  },
);

const RefusedCrashGroup = builder.objectRef<RefusedUndo>('RefusedCrashGroup').implement({
  description: 'A group that was not given its earlier state.',
  fields: (t) => ({
    crashGroupId: t.id({
      description: 'Global id of the group.',
      resolve: ({ groupId }) => encodeGlobalId('CrashGroup', groupId),
    }),
    title: t.exposeString('title', { nullable: true, description: 'Its title; null when it is gone.' }),
    reason: t.exposeString('reason', {
      description: 'Why not, in a sentence: “ada changed it meanwhile.”',
    }),
  }),
});

builder.relayMutationField(
  'restoreCrashGroups',
  {
    inputFields: (t) => ({
      groups: t.stringList({
        required: true,
        description: 'Of the field `undo` of `changeCrashGroups`: all texts or some, 1 to 200.',
      }),
    }),
  },
  {
    description:
      'Undoes `changeCrashGroups`: the groups have the state and assignee again that they had before. Groups that somebody, ' +
      'or the server, changed meanwhile are `refused` and stay as they are; the others are restored.',
    resolve: (_, { input: { groups } }, { services }) => services.crashGroups.restore(groups),
  },
  {
    outputFields: (t) => ({
      groups: t.field({
        type: [CrashGroup],
        description: 'The groups that were restored.',
        resolve: ({ groups }) => groups,
      }),
      refused: t.field({
        type: [RefusedCrashGroup],
        description: 'The groups that were not, and why.',
        resolve: ({ refused }) => refused,
      }),
    }),
  },
);
