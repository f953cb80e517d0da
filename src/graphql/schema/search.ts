import { hasRole } from '../../auth/principal.js';
import { redactOutput } from '../../coredumps/redact.js';
import {
  type Hit,
  readQuery,
  type SnippetPart as SnippetPartRow,
  snippetOf,
  wordsOf,
} from '../../search/service.js';
import type { SearchTerm } from '../../search/types.js';
import { COUNTED_ABOVE, connectionCost, FREE, searchCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import { Coredump } from './coredump.js';
import { CrashGroup, CrashGroupConnection } from './crash-group.js';
import { Device, DeviceConnection, devicesPage } from './device.js';
import { Firmware, FirmwareConnection } from './firmware.js';
import { groupPage } from './group-pages.js';
import { page } from './pages.js';

export const SnippetPart = builder.objectRef<SnippetPartRow>('SnippetPart').implement({
  description: 'A piece of a line of text. The pieces of a snippet joined are the text around the match.',
  fields: (t) => ({
    text: t.exposeString('text', { description: 'Plain text, never markup.' }),
    isMatch: t.exposeBoolean('isMatch', { description: 'To be highlighted.' }),
  }),
});

const CoredumpHit = builder.objectRef<Hit>('CoredumpHit').implement({
  description: 'A dump whose text contains all words of a search.',
  fields: (t) => ({
    coredump: t.field({
      type: Coredump,
      nullable: true,
      description: 'Null when it was deleted a moment ago.',
      resolve: ({ id }, _, { loaders }) => loaders.coredumps.byId.load(id),
    }),
    snippet: t.field({
      type: [SnippetPart],
      description: 'The first match in its output, with the text around it on the same line.',
      resolve: async ({ id, terms }, _, { loaders, person, answer }) => {
        const output = (await loaders.coredumps.texts.output(id, answer)) ?? '';
        return snippetOf(hasRole(person, 'admin') ? output : redactOutput(output), terms);
      },
    }),
  }),
});

type HitPage = Pick<Awaited<ReturnType<typeof page<Hit>>>, 'edges' | 'pageInfo'>;

const CoredumpHitEdge = builder.objectRef<HitPage['edges'][number]>('CoredumpHitEdge').implement({
  description: 'A hit and its place in the list.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'For `after` and `before`.' }),
    node: t.field({ type: CoredumpHit, description: 'The hit.', resolve: ({ node }) => node }),
  }),
});

/** Not one of the builder's connections, because those have `totalCount`: it would read the whole index of a word. */
const CoredumpHitConnection = builder.objectRef<HitPage>('CoredumpHitConnection').implement({
  description:
    'One page of the dumps that were found. It has no `totalCount`: to count the dumps with a frequent word would take ' +
    'as long as reading them all.',
  fields: (t) => ({
    edges: t.field({
      type: [CoredumpHitEdge],
      complexity: COUNTED_ABOVE,
      description: 'The hits with their cursors.',
      resolve: ({ edges }) => edges,
    }),
    nodes: t.field({
      type: [CoredumpHit],
      complexity: COUNTED_ABOVE,
      description: 'The hits alone.',
      resolve: ({ edges }) => edges.map(({ node }) => node),
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      complexity: FREE,
      description: 'Whether there are more, and where this page begins and ends.',
      resolve: ({ pageInfo }) => pageInfo,
    }),
  }),
});

export interface SearchText {
  query: string;
  terms: SearchTerm[];
}

export const SearchResult = builder.objectRef<SearchText>('SearchResult').implement({
  description: 'What a search finds, by kind. Each kind costs a search of its own, only when it is selected.',
  fields: (t) => ({
    coredumps: t.field({
      type: CoredumpHitConnection,
      complexity: connectionCost,
      description:
        'Dumps by their output (reasons, functions, files, tasks), newest first. Viewers find what they may read.',
      args: t.arg.connectionArgs(),
      resolve: ({ terms }, args, { services, person }) =>
        page(
          args,
          (window) => services.search.hits(terms, window, hasRole(person, 'admin') ? null : redactOutput),
          () => 0,
        ),
    }),
    crashGroups: t.connection(
      {
        type: CrashGroup,
        description: 'Crash groups by title, reason, culprit, assignee or note; the latest crash first.',
        resolve: ({ terms }, args, { services }) => {
          const filter = { search: wordsOf(terms) };
          return groupPage(
            { ...args, orderBy: { field: 'LAST_SEEN_AT', direction: 'DESC' } },
            (window) => services.crashGroups.list(filter, window),
            () => services.crashGroups.count(filter),
          );
        },
      },
      CrashGroupConnection,
    ),
    devices: t.connection(
      {
        type: Device,
        description:
          'Devices by key, serial or name, newest first. Any part of a key finds it, its beginning too.',
        resolve: ({ terms }, args, { services }) => {
          const filter = { search: wordsOf(terms) };
          return devicesPage(
            args,
            (window) => services.devices.list(filter, window),
            () => services.devices.count(filter),
          );
        },
      },
      DeviceConnection,
    ),
    firmwares: t.connection(
      {
        type: Firmware,
        description: 'Builds by version, or by the first digits of the ELF’s SHA-256; newest first.',
        resolve: ({ query }, args, { services }) =>
          page(
            args,
            (window) => services.search.firmwares(query, window),
            () => services.search.countFirmwares(query),
          ),
      },
      FirmwareConnection,
    ),
  }),
});

builder.queryField('search', (t) =>
  t.field({
    type: SearchResult,
    complexity: searchCost,
    description:
      'Finds dumps, crash groups, devices, models and builds. All words must occur, in upper or lower case. In texts of dumps ' +
      'each is the beginning of a word, text in double quotes is a phrase of whole words, and `sensor_re` is the phrase ' +
      '“sensor re…”; elsewhere each may occur anywhere.',
    args: {
      query: t.arg.string({
        required: true,
        description: 'Words and phrases: at most 200 characters, and 10 words or phrases.',
      }),
    },
    resolve: (_, { query }) => ({ query, terms: readQuery(query) }),
  }),
);
