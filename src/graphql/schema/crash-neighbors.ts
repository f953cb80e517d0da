import type { CoredumpRow } from '../../coredumps/types.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { CoredumpFilterInput, toCoredumpFilter } from './coredump-filter.js';
import { CrashGroup } from './crash-group.js';
import { requireId } from './inputs.js';

interface Neighbors {
  newer: CoredumpRow | null;
  older: CoredumpRow | null;
}

const CrashNeighbors = builder.objectRef<Neighbors>('CrashNeighbors').implement({
  description: 'The dumps of a group before and after one of them.',
  fields: (t) => ({
    newer: t.field({
      type: Coredump,
      nullable: true,
      description: 'The next one that arrived. Null: it is the newest.',
      resolve: ({ newer }) => newer,
    }),
    older: t.field({
      type: Coredump,
      nullable: true,
      description: 'The one that arrived before it. Null: it is the oldest that is stored.',
      resolve: ({ older }) => older,
    }),
  }),
});

builder.objectField(CrashGroup, 'neighbors', (t) =>
  t.field({
    type: CrashNeighbors,
    description:
      'Its stored dumps next to one of them, in the order of arrival; also where that one is not in the group any more.',
    args: {
      of: t.arg.id({ required: true, description: 'Global id of a dump.' }),
      filter: t.arg({ type: CoredumpFilterInput, description: 'Only among these dumps.' }),
    },
    resolve: async ({ id: parentId }, { of, filter: input }, context) => {
      const { loaders } = context;
      const id = requireId('Coredump', of, 'of');
      const filter = toCoredumpFilter(input, context);
      const [newer, older] = await Promise.all([
        loaders.crashGroups.coredumps.load({
          parentId,
          filter,
          window: { take: 1, afterId: id, fromEnd: true },
        }),
        loaders.crashGroups.coredumps.load({ parentId, filter, window: { take: 1, beforeId: id } }),
      ]);
      return { newer: newer[0] ?? null, older: older[0] ?? null };
    },
  }),
);
