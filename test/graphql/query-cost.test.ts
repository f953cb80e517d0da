import {
  type GraphQLField,
  type GraphQLOutputType,
  getNamedType,
  getOperationAST,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
} from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { costOf } from '../../src/graphql/limits/query-cost.js';
import { schema } from '../../src/graphql/schema/schema.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const LIMIT = 50_000;

function cost(query: string, variables: Record<string, unknown> = {}, name?: string): number {
  const document = parse(query);
  const operation = getOperationAST(document, name);
  if (operation == null) throw new Error('no such operation');
  return costOf({ schema, document, operation, variables });
}

describe('the cost of a query', () => {
  it.each<[string, string, number]>([
    ['a field', '{ device(key: "a") { key name } }', 3],
    ['a page of its default size', '{ devices { nodes { key } } }', 2 + 20],
    ['a page', '{ devices(first: 3) { nodes { key name } } }', 2 + 3 * 2],
    ['a page from the end', '{ devices(last: 3) { nodes { key } } }', 2 + 3],
    [
      'edges as nodes, and their cursors',
      '{ devices(first: 3) { edges { cursor node { key } } } }',
      2 + 3 * 3,
    ],
    [
      'a count and cursors of pages, which come with the page',
      '{ devices(first: 3) { totalCount pageInfo { hasNextPage endCursor } } }',
      2,
    ],
    ['an empty page', '{ devices(first: 0) { nodes { key } } }', 2],
    [
      'pages in pages',
      '{ devices(first: 3) { nodes { coredumps(first: 5) { nodes { id } } } } }',
      2 + 3 * (2 + 5),
    ],
    [
      'a fragment each time',
      '{ devices(first: 3) { nodes { ...F ...F } } } fragment F on Device { key }',
      2 + 3 * 2,
    ],
    ['a list without a size', '{ coredump(id: "x") { report { tasks { name } } } }', 3 + 8],
    ['a search in a filter', '{ devices(first: 0, filter: { search: "x" }) { totalCount } }', 2_002],
    [
      'a search of all kinds',
      '{ search(query: "x") { kinds(first: 7) { kind hits { node { __typename } } } } }',
      2_002 + 5 * 7 * 3,
    ],
    ['a search', '{ search(query: "x") { devices(first: 5) { nodes { key } } } }', 2_001 + 2 + 5],
    [
      'a time series by hours',
      '{ crashes(unit: HOUR, from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z") { count } }',
      1 + 25,
    ],
    [
      'a breakdown, with the buckets of each series and of the rest',
      '{ crashBreakdown(by: MODEL, unit: DAY, first: 4) { key buckets { start count } } }',
      1 + 5 * 30 * 2 + 4 * (1 + 2),
    ],
    ['crash-free devices', '{ crashFreeDevices { start crashFreeShare } }', 1 + 30 * 2],
    ['a time series of its default length', '{ crashes(unit: DAY) { count } }', 1 + 30],
    [
      'fields under @skip and @include too',
      '{ device(key: "a") { key @skip(if: true) name @include(if: false) } }',
      3,
    ],
  ])('is that of %s', (_, query, expected) => {
    expect(cost(query)).toBe(expected);
  });

  it('follows variables and their defaults', () => {
    const query =
      'query ($n: Int = 7, $f: DeviceFilter) { devices(first: $n, filter: $f) { nodes { key } } }';

    expect(cost(query)).toBe(2 + 7);
    expect(cost(query, { n: 4 })).toBe(2 + 4);
    expect(cost(query, { n: 0, f: { search: 'x' } })).toBe(2_002);
    expect(cost(query, { n: 0, f: { search: null } })).toBe(2);
  });

  it('leaves out what does not run for its arguments, and only that', () => {
    const query = `query ($q: String = "a", $on: Boolean = true) {
      search(query: $q) @skip(if: $on) { devices(first: 5) { nodes { key } } }
      devices(first: 3) { nodes { key } }
    }`;

    expect(cost(query, { q: null })).toBe(1 + 2 + 3);
  });

  it('is that of the operation that runs', () => {
    const query = 'query A { devices(first: 200) { nodes { key } } } query B { device(key: "a") { key } }';

    expect(cost(query, {}, 'B')).toBe(2);
  });
});

describe('every field', () => {
  const FIELDS = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) =>
      Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field] as const),
    );

  it.each(FIELDS.filter(([, { args }]) => args.some(({ name }) => name === 'first')))(
    'whose argument says how many there are costs as many: %s',
    (name, field) => {
      // So many of each kind that there is.
      const each = name === 'SearchResult.kinds' ? schema.getType('SearchKind') : null;
      const kinds = isEnumType(each) ? each.getValues().length : 1;

      expect(multiplierOf(field, { first: 7 })).toBe(7 * kinds);
      expect(multiplierOf(field, { first: 100_000 })).toBeLessThanOrEqual(200 * kinds);
    },
  );

  it.each(FIELDS.filter(([, { type }]) => isList(type) && isCompositeType(getNamedType(type))))(
    'with a list in it costs its items: %s',
    (name, field) => {
      const isCountedAbove =
        /Connection\.(nodes|edges)$|^SearchResult\.|^SearchHits\.hits$|^CrashSeries\.buckets$/.test(name);

      expect(multiplierOf(field, { by: 'MODEL', unit: 'DAY', ids: ['a', 'b'] })).toBeGreaterThan(
        isCountedAbove ? 0 : 1,
      );
    },
  );
});

describe('a request with Graphql-Cost: 1', () => {
  const QUERY = '{ devices(first: 3) { nodes { key } } }';
  const COST = { cost: { requested: 5, limit: LIMIT } };

  it.each([false, true])('is told what it costs, in a thread of queries or not: %s', async (queriesApart) => {
    const endpoint = await aGraphQLEndpoint({ queriesApart });

    const asked = await post(endpoint, QUERY, { 'Graphql-Cost': '1' });

    expect(asked).toEqual({ data: { devices: { nodes: [] } }, extensions: COST });
    expect(await post(endpoint, QUERY, {})).toEqual({ data: { devices: { nodes: [] } } });
  });

  it('is told so beside an error and beside a long answer', async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });
    await fill(endpoint);
    const long = '{ coredumps { nodes { parsedOutput } } missing: node(id: "nonsense") { id } }';

    const answer = await post(endpoint, long, { 'Graphql-Cost': '1' });

    expect(answer.extensions).toEqual({ cost: { requested: 24, limit: LIMIT } });
    expect(answer.errors).toHaveLength(1);
    expect(JSON.stringify(answer.data).length).toBeGreaterThan(200_000);
  });

  it('is told by how much it is too complex', async () => {
    const endpoint = await aGraphQLEndpoint();
    const query = '{ devices(first: 200) { nodes { coredumps(first: 200) { nodes { id filename } } } } }';

    const { errors, extensions } = await post(endpoint, query, { 'Graphql-Cost': '1' });

    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'cost', max: LIMIT } }]);
    expect(extensions).toEqual({ cost: { requested: 80_402, limit: LIMIT } });
    expect(await post(endpoint, query, {})).not.toHaveProperty('extensions');
  });

  it('is told so with each event over SSE, and others who share it are not', async () => {
    const endpoint = await aGraphQLEndpoint();
    const follow = 'subscription { parseStatus { filename } }';
    const asking = over(createSseClient({ url: endpoint.url, headers: { 'Graphql-Cost': '1' } }), follow);
    const other = over(createSseClient({ url: endpoint.url }), follow);

    const [told, untold] = await firstEvents(endpoint, [asking, other]);

    expect(told).toEqual({ ...untold, extensions: { cost: { requested: 2, limit: LIMIT } } });
    expect(untold).not.toHaveProperty('extensions');
  });

  it('asks over WebSocket by the extensions of an operation', async () => {
    const endpoint = await aGraphQLEndpoint();
    const client = createWebSocketClient({ url: endpoint.webSocketUrl, webSocketImpl: WebSocket });
    onTestFinished(async () => client.dispose());
    const query = 'subscription { parseStatus { filename } }';
    const asking = client.iterate({ query, extensions: { cost: true } });
    const other = client.iterate({ query });

    const answer = (await client.iterate({ query: QUERY, extensions: { cost: true } }).next()).value;
    const [told, untold] = await firstEvents(endpoint, [asking, other]);

    expect(answer).toEqual({ data: { devices: { nodes: [] } }, extensions: COST });
    expect(told).toEqual({ ...untold, extensions: { cost: { requested: 2, limit: LIMIT } } });
    expect(untold).not.toHaveProperty('extensions');
  });
});

describe('a subscription that costs too much', () => {
  it('is refused before it listens', async () => {
    const endpoint = await aGraphQLEndpoint();
    const report = 'report { tasks { frames { arguments { name value } } } }';
    const query = `subscription { parseStatus { device { coredumps(first: 200) { nodes { ${report} } } } } }`;
    const client = createSseClient({ url: endpoint.url, retryAttempts: 0 });
    onTestFinished(() => client.dispose());

    const { value } = await client.iterate({ query }).next();

    expect(value).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'cost' } }] });
    expect(endpoint.events.subscriberCount()).toBe(0);
  });
});

function isList(type: GraphQLOutputType): boolean {
  return isNonNullType(type) ? isList(type.ofType) : isListType(type);
}

function multiplierOf({ extensions }: GraphQLField<unknown, unknown>, args: object): unknown {
  const complexity: unknown = extensions.complexity;
  const given: unknown = typeof complexity === 'function' ? complexity(args, {}, {}) : complexity;
  return typeof given === 'object' && given !== null && 'multiplier' in given ? given.multiplier : 1;
}

interface CostAnswer {
  data?: unknown;
  errors?: unknown[];
  extensions?: unknown;
}

async function post({ url }: GraphQLEndpoint, query: string, headers: object): Promise<CostAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as CostAnswer;
}

function over(client: ReturnType<typeof createSseClient>, query: string) {
  onTestFinished(() => client.dispose());
  return client.iterate({ query });
}

/** What each gets of one dump that arrives when all listen. */
async function firstEvents(
  { events, fleet, coredumps }: GraphQLEndpoint,
  streams: ReadonlyArray<AsyncIterableIterator<unknown>>,
): Promise<object[]> {
  const first = streams.map(async (stream) => (await stream.next()).value as object);
  await expect.poll(events.subscriberCount).toBe(streams.length);
  const dump = await coredumps.get((await fleet.aDump(await fleet.aDevice(await fleet.aModel()))).id);
  if (dump === null) throw new Error('the dump was there a moment ago');
  events.publish(dump);
  return Promise.all(first);
}

async function fill({ fleet }: GraphQLEndpoint): Promise<void> {
  const device = await fleet.aDevice(await fleet.aModel());
  for (let index = 0; index < 5; index++) await fleet.aDump(device, { output: 'x'.repeat(50_000) });
}
