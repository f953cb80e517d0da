import type { Regrouping as RegroupingRow } from '../../crash-groups/regroup-job.js';
import { encodeGlobalId } from '../../global-ids.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { CrashGroupState } from './crash-group-filter.js';
import { IgnoreUntil } from './ignored-until.js';
import { present, requireId } from './inputs.js';

const CHANGED = { type: CrashGroup, description: 'The group after the change.' } as const;

builder.relayMutationField(
  'resolveCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
      inVersion: t.string({
        description: 'The version with the fix, 1 to 64 characters; when left out: the next one.',
      }),
    }),
  },
  {
    description:
      'Sets the state RESOLVED. A crash in `inVersion` or a later version makes it a regression. Versions are ordered as in Semantic ' +
      'Versioning (`1.2.0-5-gabc1234` of `git describe` comes after 1.2.0). Without `inVersion`, or where versions ' +
      'have no order, a version is later if the group was not seen in it before.',
    resolve: (_, { input: { id, inVersion } }, { services }) =>
      services.crashGroups.resolve(requireId('CrashGroup', id), inVersion ?? null),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ ...CHANGED, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'ignoreCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
      until: t.field({
        type: IgnoreUntil,
        description: 'What opens it again by itself; when left out: only a person.',
      }),
    }),
  },
  {
    description:
      'Sets the state IGNORED: its crashes are still counted, but send no alerts. When what it is ignored until has come, ' +
      'the server sets it OPEN again, and alerts are sent as for any open group.',
    resolve: (_, { input: { id, until } }, { services }) =>
      services.crashGroups.ignore(requireId('CrashGroup', id), until == null ? null : present(until)),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ ...CHANGED, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'reopenCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
    }),
  },
  {
    description: 'Sets the state OPEN, and forgets that it was resolved or has regressed.',
    resolve: (_, { input: { id } }, { services }) => services.crashGroups.reopen(requireId('CrashGroup', id)),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ ...CHANGED, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'assignCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
      assignee: t.string({ description: 'Any name, 1 to 200 characters; null for nobody.' }),
    }),
  },
  {
    description: 'Says who looks after the group.',
    resolve: (_, { input: { id, assignee } }, { services }) =>
      services.crashGroups.assign(requireId('CrashGroup', id), assignee ?? null),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ ...CHANGED, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'noteCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
      note: t.string({ description: 'Plain text of at most 10,000 characters; null removes it.' }),
    }),
  },
  {
    description: 'Replaces the note of the group.',
    resolve: (_, { input: { id, note } }, { services }) =>
      services.crashGroups.note(requireId('CrashGroup', id), note ?? null),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ ...CHANGED, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'linkCrashGroupTicket',
  {
    inputFields: (t) => ({
      id: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
      ticketUrl: t.string({
        description: 'An address that begins with https://, at most 2,000 characters; null removes it.',
      }),
    }),
  },
  {
    description: 'Says where people follow the bug: the address of its ticket.',
    resolve: (_, { input: { id, ticketUrl } }, { services }) =>
      services.crashGroups.linkTicket(requireId('CrashGroup', id), ticketUrl ?? null),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ ...CHANGED, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'updateCrashGroups',
  {
    inputFields: (t) => ({
      ids: t.idList({
        required: true,
        description: 'Global ids, 1 to 100. That of a merged group stands for the group that took it in.',
      }),
      state: t.field({ type: CrashGroupState, description: 'The new state.' }),
      resolvedInVersion: t.string({
        description:
          'With the state RESOLVED: the version with the fix, 1 to 64 characters; when left out: the next one.',
      }),
      assignee: t.string({ description: 'Any name, 1 to 200 characters; null for nobody.' }),
      note: t.string({ description: 'Plain text of at most 10,000 characters; null removes it.' }),
    }),
  },
  {
    description:
      'Sets the same in many groups: all of them or none. Fields that are left out keep their values. When a group does ' +
      'not exist, NOT_FOUND names its id. The audit has an event for each group and each thing that was set. ' +
      '`changeCrashGroups` changes more at once, and can be undone.',
    resolve: (_, { input: { ids, state, ...input } }, { services }) =>
      services.crashGroups.update(
        ids.map((id) => requireId('CrashGroup', id, 'ids')),
        { ...withoutUndefined(input), ...(state == null ? {} : { state }) },
      ),
  },
  {
    outputFields: (t) => ({
      crashGroups: t.field({
        type: [CrashGroup],
        description: 'The groups after the change, in the order of `ids`, each once.',
        resolve: (groups) => groups,
      }),
    }),
  },
);

builder.relayMutationField(
  'mergeCrashGroups',
  {
    inputFields: (t) => ({
      intoId: t.id({ required: true, description: 'Global id of the group that takes in the others.' }),
      ids: t.idList({ required: true, description: 'Global ids of the groups to merge into it, 1 to 100.' }),
    }),
  },
  {
    description:
      'Moves the groups `ids` into the group `intoId`, which keeps its state, assignee and note. New crashes with their ' +
      'fingerprints join it as well, and their ids answer with it. `splitCrashGroup` undoes it.',
    resolve: async (_, { input: { intoId, ids } }, { services }) => {
      const intoNumber = requireId('CrashGroup', intoId, 'intoId');
      const numbers = ids.map((id) => requireId('CrashGroup', id, 'ids'));
      const group = await services.crashGroups.merge(intoNumber, numbers);
      return { group, mergedIds: [...new Set(numbers)].filter((id) => id !== intoNumber) };
    },
  },
  {
    outputFields: (t) => ({
      crashGroup: t.field({
        type: CrashGroup,
        description: 'The group that took in the others.',
        resolve: ({ group }) => group,
      }),
      mergedCrashGroupIds: t.field({
        type: ['ID'],
        description: 'Global ids of the groups that became part of it.',
        resolve: ({ mergedIds }) => mergedIds.map((id) => encodeGlobalId('CrashGroup', id)),
      }),
    }),
  },
);

builder.relayMutationField(
  'splitCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({
        required: true,
        description: 'Global id of the group. That of a merged group stands for the group that took it in.',
      }),
      fingerprints: t.stringList({
        required: true,
        description: 'Fingerprints to take out, 1 to 100. One at least must remain.',
      }),
    }),
  },
  {
    description:
      'Moves fingerprints of a group out of it, with everything that was ever counted for them. If all of them came from ' +
      'one merged group, that group is there again, with its id, state, assignee and note; otherwise they form a new group.',
    resolve: (_, { input: { id, fingerprints } }, { services }) =>
      services.crashGroups.split(requireId('CrashGroup', id), fingerprints),
  },
  {
    outputFields: (t) => ({
      crashGroup: t.field({
        type: CrashGroup,
        description: 'The group that has the fingerprints now.',
        resolve: ({ group }) => group,
      }),
      fromCrashGroup: t.field({
        type: CrashGroup,
        description: 'The group that they were in.',
        resolve: ({ from }) => from,
      }),
    }),
  },
);

/** Null sets a field to nothing, and an absent one stays as it is. */
function withoutUndefined(
  input: { [Key in 'resolvedInVersion' | 'assignee' | 'note']?: string | null | undefined },
): {
  [Key in 'resolvedInVersion' | 'assignee' | 'note']?: string | null;
} {
  const { resolvedInVersion, assignee, note } = input;
  return {
    ...(resolvedInVersion === undefined ? {} : { resolvedInVersion }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(note === undefined ? {} : { note }),
  };
}

const Regrouping = builder.objectRef<RegroupingRow>('Regrouping').implement({
  description: 'Computes the fingerprints of all stored dumps again after their recipe has changed.',
  fields: (t) => ({
    fingerprintVersion: t.exposeString('fingerprintVersion', { description: 'Version of the recipe: `v2`.' }),
    total: t.exposeInt('total', { description: 'Number of dumps at its start.' }),
    done: t.exposeInt('done', { description: 'Number of dumps that are done.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the last dump was done; null while it runs.',
    }),
  }),
});

builder.queryField('regrouping', (t) =>
  t.field({
    type: Regrouping,
    nullable: true,
    description: 'Its progress. It starts by itself when there is something to do.',
    resolve: (_, __, { services }) => services.crashGroups.regrouping(),
  }),
);

builder.relayMutationField(
  'regroupCrashes',
  { inputFields: () => ({}) },
  {
    description:
      'Starts again from the beginning, in the background. Dumps that are in the right group stay there.',
    resolve: (_, __, { services }) => services.crashGroups.regroupAll(),
  },
  {
    outputFields: (t) => ({
      regrouping: t.field({ type: Regrouping, description: 'The new run.', resolve: (run) => run }),
    }),
  },
);
