import { brandWithType } from '@pothos/core';
import { hasRole } from '../../auth/principal.js';
import { redactOutput } from '../../coredumps/redact.js';
import { badInput } from '../../errors.js';
import { type SnippetPart as SnippetPartRow, snippetOf } from '../../search/service.js';
import { type KindHits, MOST_COUNTED, type SearchKind } from '../../search/types.js';
import { COUNTED_ABOVE, kindsCost } from '../limits/field-costs.js';
import { builder } from './builder.js';
import type { Context } from './context.js';
import { Coredump } from './coredump.js';
import { CrashGroup } from './crash-group.js';
import { Device } from './device.js';
import { DeviceModel } from './device-model.js';
import { Firmware } from './firmware.js';
import { SearchResult, type SearchText, SnippetPart } from './search.js';

const SearchKindEnum = builder.enumType('SearchKind', {
  description: 'What a search finds. Values may be added.',
  values: {
    DEVICE: { description: 'Devices by key, serial or name.' },
    DEVICE_MODEL: { description: 'Models by code or name.' },
    FIRMWARE: {
      description: 'Builds by version, or by the first digits of the ELF’s SHA-256 or of the revision.',
    },
    CRASH_GROUP: {
      description:
        'Groups by title, reason, culprit, assignee, note, tag, or the beginning of a fingerprint.',
    },
    COREDUMP: {
      description:
        'Dumps by the beginning of the file name, SHA-256 or fingerprint, then by the text of their reports: functions, ' +
        'files, tasks, addresses (`0x42009351`). Viewers find what they may read.',
    },
  } satisfies Record<SearchKind, { description: string }>,
});

const SearchNode = builder.unionType('SearchNode', {
  description: 'What was found. Types may be added.',
  types: [Device, DeviceModel, Firmware, CrashGroup, Coredump],
});

/** By which the union knows what a row is. */
const TYPES = {
  DEVICE: Device,
  DEVICE_MODEL: DeviceModel,
  FIRMWARE: Firmware,
  CRASH_GROUP: CrashGroup,
  COREDUMP: Coredump,
} satisfies Record<SearchKind, unknown>;

interface FoundId {
  kind: SearchKind;
  id: number;
  search: SearchText;
}

const SearchHit = builder.objectRef<FoundId>('SearchHit').implement({
  description: 'One thing that was found.',
  fields: (t) => ({
    node: t.field({
      type: SearchNode,
      nullable: true,
      description: 'The thing itself. Null when it was deleted a moment ago.',
      resolve: async ({ kind, id }, _, { loaders }) => {
        const node = await nodeOf(kind, id, loaders);
        if (node !== null) brandWithType(node, TYPES[kind]);
        return node;
      },
    }),
    snippet: t.field({
      type: [SnippetPart],
      description:
        'Of a dump: the first match in its text, with the text around it on the same line. Empty where its text has none.',
      resolve: async ({ kind, id, search }, _, { loaders, person, answer }): Promise<SnippetPartRow[]> => {
        if (kind !== 'COREDUMP') return [];
        const output = (await loaders.coredumps.texts.output(id, answer)) ?? '';
        return snippetOf(hasRole(person, 'admin') ? output : redactOutput(output), search.terms);
      },
    }),
  }),
});

const SearchHits = builder.objectRef<KindHits & { search: SearchText }>('SearchHits').implement({
  description: 'What a search found of one kind.',
  fields: (t) => ({
    kind: t.field({ type: SearchKindEnum, description: 'The kind.', resolve: ({ kind }) => kind }),
    count: t.exposeInt('count', { description: `How many were found: at most ${MOST_COUNTED} are counted.` }),
    hasMore: t.exposeBoolean('hasMore', {
      description: 'True: there are more than `count`. Viewers’ searches of texts count only what is shown.',
    }),
    hits: t.field({
      type: [SearchHit],
      complexity: COUNTED_ABOVE,
      description: 'The first of them: exact matches, then the newest.',
      resolve: ({ kind, ids, search }) => ids.map((id) => ({ kind, id, search })),
    }),
  }),
});

const MOST_HITS = 50;

builder.objectField(SearchResult, 'kinds', (t) =>
  t.field({
    type: [SearchHits],
    complexity: kindsCost,
    description:
      'All kinds at once, for a search box: only those of which something was found. It costs a bounded number of ' +
      'statements, however much there is.',
    args: {
      first: t.arg.int({
        required: true,
        defaultValue: 5,
        description: `How many of each kind: 1 to ${MOST_HITS}.`,
      }),
    },
    resolve: async (search, { first }, { services, person }) => {
      if (first < 1 || first > MOST_HITS) throw badInput(`first is 1 to ${MOST_HITS}.`, { field: 'first' });
      const visible = hasRole(person, 'admin') ? null : redactOutput;
      const found = await services.search.byKind(search.query, search.terms, first, visible);
      return found.map((each) => ({ ...each, search }));
    },
  }),
);

function nodeOf(
  kind: SearchKind,
  id: number,
  { coredumps, crashGroups, devices, firmwares }: Context['loaders'],
) {
  switch (kind) {
    case 'DEVICE':
      return devices.byId.load(id);
    case 'DEVICE_MODEL':
      return devices.modelById.load(id);
    case 'FIRMWARE':
      return firmwares.byId.load(id);
    case 'CRASH_GROUP':
      return crashGroups.byId.load(id);
    case 'COREDUMP':
      return coredumps.byId.load(id);
  }
}
