import type { Regrouping as RegroupingRow } from '../../crash-groups/regroup-job.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { requireId } from './inputs.js';

builder.relayMutationField(
  'resolveCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({ required: true }),
      inVersion: t.string({ description: 'The version with the fix; when left out: the next one.' }),
    }),
  },
  {
    description:
      'A crash in `inVersion` or a later version makes it a regression. Versions are ordered as in Semantic ' +
      'Versioning (`1.2.0-5-gabc1234` of `git describe` comes after 1.2.0). Without `inVersion`, or where versions ' +
      'have no order, a version is later if the group was not seen in it before.',
    resolve: (_, { input: { id, inVersion } }, { services }) =>
      services.crashGroups.resolve(requireId('CrashGroup', id), inVersion ?? null),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ type: CrashGroup, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'ignoreCrashGroup',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    description: 'Its crashes are still counted, but send no alerts.',
    resolve: (_, { input: { id } }, { services }) => services.crashGroups.ignore(requireId('CrashGroup', id)),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ type: CrashGroup, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'reopenCrashGroup',
  { inputFields: (t) => ({ id: t.id({ required: true }) }) },
  {
    resolve: (_, { input: { id } }, { services }) => services.crashGroups.reopen(requireId('CrashGroup', id)),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ type: CrashGroup, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'assignCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({ required: true }),
      assignee: t.string({ description: 'Null for nobody.' }),
    }),
  },
  {
    resolve: (_, { input: { id, assignee } }, { services }) =>
      services.crashGroups.assign(requireId('CrashGroup', id), assignee ?? null),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ type: CrashGroup, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'noteCrashGroup',
  {
    inputFields: (t) => ({
      id: t.id({ required: true }),
      note: t.string({ description: 'Null removes it.' }),
    }),
  },
  {
    resolve: (_, { input: { id, note } }, { services }) =>
      services.crashGroups.note(requireId('CrashGroup', id), note ?? null),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ type: CrashGroup, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'mergeCrashGroups',
  { inputFields: (t) => ({ intoId: t.id({ required: true }), ids: t.idList({ required: true }) }) },
  {
    description:
      'Moves the groups `ids` into the group `intoId`, which keeps its state, assignee and note. New crashes with their ' +
      'fingerprints join it as well; `splitCrashGroup` undoes it.',
    resolve: (_, { input: { intoId, ids } }, { services }) =>
      services.crashGroups.merge(
        requireId('CrashGroup', intoId, 'intoId'),
        ids.map((id) => requireId('CrashGroup', id, 'ids')),
      ),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ type: CrashGroup, resolve: (group) => group }) }) },
);

builder.relayMutationField(
  'splitCrashGroup',
  { inputFields: (t) => ({ id: t.id({ required: true }), fingerprints: t.stringList({ required: true }) }) },
  {
    description:
      'Moves fingerprints of a group to a new one, with everything that was ever counted for them.',
    resolve: (_, { input: { id, fingerprints } }, { services }) =>
      services.crashGroups.split(requireId('CrashGroup', id), fingerprints),
  },
  { outputFields: (t) => ({ crashGroup: t.field({ type: CrashGroup, resolve: (group) => group }) }) },
);

const Regrouping = builder.objectRef<RegroupingRow>('Regrouping').implement({
  description: 'Computes the fingerprints of all stored dumps again after their recipe has changed.',
  fields: (t) => ({
    fingerprintVersion: t.exposeString('fingerprintVersion', { description: 'Of the recipe: “v1”.' }),
    total: t.exposeInt('total', { description: 'Number of dumps at its start.' }),
    done: t.exposeInt('done'),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
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
  { outputFields: (t) => ({ regrouping: t.field({ type: Regrouping, resolve: (run) => run }) }) },
);
