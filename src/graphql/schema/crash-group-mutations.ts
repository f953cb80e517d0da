import type { Regrouping as RegroupingRow } from '../../crash-groups/regroup-job.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { requireId } from './inputs.js';

builder.mutationFields((t) => ({
  resolveCrashGroup: t.field({
    type: CrashGroup,
    description:
      'A crash in `inVersion` or a later version makes it a regression. Versions are ordered as in Semantic ' +
      'Versioning (`1.2.0-5-gabc1234` of `git describe` comes after 1.2.0). Without `inVersion`, or where versions ' +
      'have no order, a version is later if the group was not seen in it before.',
    args: { id: t.arg.id({ required: true }), inVersion: t.arg.string() },
    resolve: (_, { id, inVersion }, { services }) =>
      services.crashGroups.resolve(requireId('CrashGroup', id), inVersion ?? null),
  }),
  ignoreCrashGroup: t.field({
    type: CrashGroup,
    description: 'Its crashes are still counted, but send no alerts.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, { id }, { services }) => services.crashGroups.ignore(requireId('CrashGroup', id)),
  }),
  reopenCrashGroup: t.field({
    type: CrashGroup,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, { id }, { services }) => services.crashGroups.reopen(requireId('CrashGroup', id)),
  }),
  assignCrashGroup: t.field({
    type: CrashGroup,
    args: { id: t.arg.id({ required: true }), assignee: t.arg.string({ description: 'Null for nobody.' }) },
    resolve: (_, { id, assignee }, { services }) =>
      services.crashGroups.assign(requireId('CrashGroup', id), assignee ?? null),
  }),
  noteCrashGroup: t.field({
    type: CrashGroup,
    args: { id: t.arg.id({ required: true }), note: t.arg.string({ description: 'Null removes it.' }) },
    resolve: (_, { id, note }, { services }) =>
      services.crashGroups.note(requireId('CrashGroup', id), note ?? null),
  }),
  mergeCrashGroups: t.field({
    type: CrashGroup,
    description:
      'Moves the groups `ids` into the group `into`, which keeps its state, assignee and note. New crashes with their ' +
      'fingerprints join it as well; `splitCrashGroup` undoes it.',
    args: { into: t.arg.id({ required: true }), ids: t.arg.idList({ required: true }) },
    resolve: (_, { into, ids }, { services }) =>
      services.crashGroups.merge(
        requireId('CrashGroup', into),
        ids.map((id) => requireId('CrashGroup', id)),
      ),
  }),
  splitCrashGroup: t.field({
    type: CrashGroup,
    description:
      'Moves fingerprints of a group to a new one, with everything that was ever counted for them.',
    args: { id: t.arg.id({ required: true }), fingerprints: t.arg.stringList({ required: true }) },
    resolve: (_, { id, fingerprints }, { services }) =>
      services.crashGroups.split(requireId('CrashGroup', id), fingerprints),
  }),
}));

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

builder.mutationField('regroupCrashes', (t) =>
  t.field({
    type: Regrouping,
    description:
      'Starts again from the beginning, in the background. Dumps that are in the right group stay there.',
    resolve: (_, __, { services }) => services.crashGroups.regroupAll(),
  }),
);
