import {
  type Found,
  type SearchTerm,
  type SnippetPart as SnippetPartRow,
  snippetOf,
} from '../../search/service.js';
import { COUNTED_ABOVE, searchCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { CrashGroup } from './crash-group.js';
import { Device } from './device.js';

const SnippetPart = builder.objectRef<SnippetPartRow>('SnippetPart').implement({
  fields: (t) => ({
    text: t.exposeString('text', { description: 'Plain text, never markup.' }),
    isMatch: t.exposeBoolean('isMatch', { description: 'To be highlighted.' }),
  }),
});

const CoredumpHit = builder.objectRef<{ coredumpId: number; terms: SearchTerm[] }>('CoredumpHit').implement({
  fields: (t) => ({
    coredump: t.field({
      type: Coredump,
      nullable: true,
      description: 'Null when it was deleted a moment ago.',
      resolve: ({ coredumpId }, _, { loaders }) => loaders.coredumps.byId.load(coredumpId),
    }),
    snippet: t.field({
      type: [SnippetPart],
      description: 'The first match in its output.',
      resolve: async ({ coredumpId, terms }, _, { loaders, answer }) =>
        snippetOf((await loaders.coredumps.texts.output(coredumpId, answer)) ?? '', terms),
    }),
  }),
});

const SearchResult = builder.objectRef<Found>('SearchResult').implement({
  fields: (t) => ({
    coredumps: t.field({
      type: [CoredumpHit],
      complexity: COUNTED_ABOVE,
      description: 'By their output (reasons, functions, files, tasks), newest first.',
      resolve: ({ coredumpIds, terms }) => coredumpIds.map((coredumpId) => ({ coredumpId, terms })),
    }),
    crashGroups: t.field({
      type: [CrashGroup],
      complexity: COUNTED_ABOVE,
      description: 'By title, reason, culprit, assignee or note; the latest crash first.',
      resolve: ({ crashGroups }) => crashGroups,
    }),
    devices: t.field({
      type: [Device],
      complexity: COUNTED_ABOVE,
      description: 'By key or name, newest first.',
      resolve: ({ devices }) => devices,
    }),
  }),
});

builder.queryField('search', (t) =>
  t.field({
    type: SearchResult,
    complexity: searchCost,
    description:
      'All words must occur, in upper or lower case, each as the beginning of a word. Text in double quotes is a phrase ' +
      'of whole words. `sensor_re` is the phrase “sensor re…”.',
    args: {
      query: t.arg.string({ required: true }),
      first: t.arg.int({ defaultValue: 10, description: 'Of each kind, 50 at most.' }),
    },
    resolve: (_, { query, first }, { services }) => services.search.find(query, first ?? 10),
  }),
);
