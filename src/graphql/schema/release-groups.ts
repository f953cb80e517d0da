import type { CrashGroupRow } from '../../crash-groups/types.js';
import { badInput } from '../../errors.js';
import { RELEASE_CHANGES, type ReleaseChange, type ReleaseGroupRow } from '../../releases/groups.js';
import { builder } from './builder.js';
import { CrashGroup } from './crash-group.js';
import { type PageArguments, sizeOf } from './pages.js';
import { healthsOf, Release } from './release.js';

const CHANGES: Record<ReleaseChange, string> = {
  NEW: 'It crashed in the version, and in no version before it.',
  REGRESSED: 'It was resolved, and came back in the version.',
  REMAINING: 'It crashed in the version, and in one before it.',
  GONE: 'It crashed in the version that it is compared with and not in this one, where at that rate three crashes or more would be expected by now.',
  UNSEEN:
    'It crashed in the version that it is compared with and not in this one so far: too few devices ran it for long enough to say that it is gone.',
};

const ReleaseChangeEnum = builder.enumType('ReleaseChange', {
  description: 'What became of a crash group in a version. Values may be added.',
  values: Object.fromEntries(
    RELEASE_CHANGES.map((change) => [change, { description: CHANGES[change] }]),
  ) as Record<ReleaseChange, { description: string }>,
});

interface Edge extends Omit<ReleaseGroupRow, 'id'> {
  cursor: string;
  node: CrashGroupRow;
}

/** Pothos knows cursor and node of its edges only; `pageOf` below makes them all. */
const edgeOf = (edge: object) => edge as Edge;

const ReleaseGroupConnection = builder.connectionObject(
  { type: CrashGroup, name: 'ReleaseGroupConnection', description: 'One page of the groups of a version.' },
  {
    name: 'ReleaseGroupEdge',
    description: 'A group, and what became of it in the version.',
    fields: (t) => ({
      change: t.field({
        type: ReleaseChangeEnum,
        description: 'What became of it.',
        resolve: (edge) => edgeOf(edge).change,
      }),
      count: t.int({
        description: 'Its crashes in the version, of devices of the model.',
        resolve: (edge) => edgeOf(edge).count,
      }),
      comparedCount: t.int({
        description: 'Its crashes in the version that it is compared with; 0 without one.',
        resolve: (edge) => edgeOf(edge).comparedCount,
      }),
      expectedCount: t.float({
        nullable: true,
        description:
          'Crashes that the version would have had by now at the rate of the other one: 6.2. Null when one of the rates is not known.',
        resolve: (edge) => edgeOf(edge).expectedCount,
      }),
    }),
  },
);

builder.objectField(Release, 'groups', (t) =>
  t.connection(
    {
      type: CrashGroup,
      description:
        'The groups of the version and of the one that it is compared with, those with the most crashes in it first.',
      args: {
        change: t.arg({
          type: [ReleaseChangeEnum],
          description: 'Only those of which this became; all when left out.',
        }),
      },
      resolve: async (release, { change, ...args }, context) => {
        const health = await healthsOf(release, context);
        const all = await context.services.releases.groups(release, health);
        const rows = all.filter((row) => change == null || change.includes(row.change));
        return pageOf(rows, args, (ids) => context.loaders.crashGroups.byId.loadMany(ids));
      },
    },
    ReleaseGroupConnection,
  ),
);

/** One page of a list that was read whole. A cursor is a group's id; the order changes only as crashes arrive. */
async function pageOf(
  rows: readonly ReleaseGroupRow[],
  args: PageArguments,
  load: (ids: number[]) => Promise<Array<CrashGroupRow | Error | null>>,
) {
  const { take, fromEnd } = sizeOf(args);
  const from = args.after == null ? 0 : placeOf(rows, args.after, 'after') + 1;
  const to = args.before == null ? rows.length : placeOf(rows, args.before, 'before');
  const between = rows.slice(from, to);
  const page = fromEnd ? between.slice(Math.max(0, between.length - take)) : between.slice(0, take);
  const groups = await load(page.map(({ id }) => id));
  const edges = page.flatMap(({ id, ...row }, at) => {
    const node = groups[at];
    if (node instanceof Error) throw node;
    // Merged or deleted between the two statements.
    return node == null ? [] : [{ ...row, node, cursor: cursorOf(id) }];
  });
  const isCut = page.length < between.length;
  return {
    edges,
    totalCount: () => rows.length,
    pageInfo: {
      hasNextPage: fromEnd ? to < rows.length : isCut,
      hasPreviousPage: fromEnd ? isCut : from > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function cursorOf(id: number): string {
  return Buffer.from(`group:${id}`).toString('base64');
}

function placeOf(rows: readonly ReleaseGroupRow[], cursor: string, field: string): number {
  const place = rows.findIndex(({ id }) => cursorOf(id) === cursor);
  if (place === -1) throw badInput('This is not a cursor of this list.', { field });
  return place;
}
