import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { aServer, bearer } from '../support/app.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

/** What is kept of a document is kept by then. */
const TIMES = 5;
const UNKNOWN = encodeGlobalId('Coredump', 4711);

const QUERIES: Array<[name: string, query: string, variables?: object]> = [
  [
    'pages within pages',
    '{ devices(first: 3) { totalCount nodes { key name model { code } coredumps(first: 2) { totalCount edges { cursor node { id filename size parseStatus parsedAt uploadedAt } } pageInfo { hasNextPage endCursor } } } } }',
  ],
  [
    'aliases, fragments and fields that meet',
    'query { a: devices { ...keys nodes { name } } b: devices(first: 1) { ...keys } } fragment keys on DeviceConnection { nodes { key } }',
  ],
  [
    'an interface, and the names of types',
    'query ($id: ID!) { __typename node(id: $id) { __typename id ... on Coredump { filename device { __typename key } } ... on Device { key } } }',
    { id: encodeGlobalId('Coredump', 1) },
  ],
  [
    'fields that are left out or not',
    'query ($yes: Boolean!, $no: Boolean = false) { coredumps { nodes { id @include(if: $yes) chip @skip(if: $yes) size @include(if: $no) } } }',
    { yes: true },
  ],
  [
    'a filter in variables',
    'query ($filter: CoredumpFilter, $first: Int = 2) { coredumps(first: $first, filter: $filter) { nodes { filename } } }',
    { filter: { parseStatus: ['PARSED', 'PENDING'], uploadedAfter: '2020-01-01T00:00:00Z', search: null } },
  ],
  [
    'a filter in the text, of variables partly',
    'query ($chips: [String!]) { coredumps(filter: { chip: $chips, parseStatus: ERROR, uploadedBefore: "2100-01-01T00:00:00Z" }) { nodes { filename } } }',
    { chips: 'esp32' },
  ],
  [
    'names that JavaScript has a meaning for',
    'query this($constructor: Int, $let: [String!]) { toString: coredumps(first: $constructor) { nodes { constructor: id then: chip toString: size device { valueOf: key } } } class: devices { isPrototypeOf: nodes { hasOwnProperty: key } } valueOf: coredumps(filter: { chip: $let }) { nodes { id } } }',
    { constructor: 2, let: ['esp32c3'] },
  ],
  ['a name that is no key', '{ __proto__: devices { nodes { __proto__: model { code } key } } }'],
  [
    'texts that would end a string',
    String.raw`{ a: coredumps(filter: { search: "\"+x(');   } */ //" }) { nodes { id } } b: device(key: "\`}${'$'}{1}"") { key } c: coredumps(filter: { chip: ["</script>", """block " \ text"""] }) { nodes { id } } }`,
  ],
  ['the schema itself', getIntrospectionQuery()],
  [
    'what is not there',
    'query ($id: ID!) { coredump(id: $id) { id } device(key: "none") { key } }',
    { id: UNKNOWN },
  ],
  [
    'a variable of the wrong kind',
    'query ($first: Int) { coredumps(first: $first) { nodes { id } } }',
    { first: '3' },
  ],
  ['a variable that is missing', 'query ($id: ID!) { coredump(id: $id) { id } }'],
  [
    'a date that is none',
    'query ($at: DateTime) { coredumps(filter: { uploadedAfter: $at }) { nodes { id } } }',
    { at: 'now' },
  ],
  [
    'a field of a filter that is none',
    'query ($f: CoredumpFilter) { coredumps(filter: $f) { nodes { id } } }',
    { f: { x: 1 } },
  ],
  [
    'a page that is too large',
    'query ($n: Int) { a: coredumps(first: $n) { nodes { id } } b: deviceModels { nodes { code } } }',
    { n: -1 },
  ],
  [
    'two pages that are too large',
    '{ a: coredumps(first: -1) { nodes { id } } b: coredumps(first: -2) { nodes { id } } }',
  ],
  [
    'an error far below',
    'query ($n: Int) { devices { nodes { key coredumps(first: $n) { nodes { id } } } } }',
    { n: -1 },
  ],
];

describe('a query that is asked again', () => {
  it.each(QUERIES)('has the same answer as at first: %s', async (_, query, variables) => {
    const endpoint = await aGraphQLEndpoint();
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'pump' }), {
      key: 'dev',
    });
    await endpoint.fleet.aDevice(await endpoint.fleet.aModel(), { key: 'other' });
    for (const parseStatus of ['PENDING', 'PARSED', 'ERROR'] as const)
      await endpoint.fleet.aDump(device, { parseStatus });

    const first = await endpoint.send(query, variables);
    for (let time = 1; time < TIMES; time++) {
      expect(await endpoint.send(query, variables)).toEqual(first);
    }
    expect(endpoint.logged).toEqual([]);
  });

  it('is answered to each by his own role, whoever asked it before', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const query = '{ auditEvents { nodes { action } } deviceModels { nodes { code } } }';
    const ask = async (token: string) => {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...bearer(token) },
        body: JSON.stringify({ query }),
      });
      return (await response.json()) as { data: unknown; errors?: unknown };
    };
    const forbidden = {
      data: { auditEvents: null, deviceModels: { nodes: [] } },
      errors: [{ path: ['auditEvents'], extensions: { code: 'FORBIDDEN' } }],
    };

    for (let time = 0; time < TIMES; time++) {
      expect((await ask(ADMIN)).errors).toBeUndefined();
      expect(await ask(VIEWER)).toMatchObject(forbidden);
    }
  });

  it('is measured each time: with other variables it may be too much', async () => {
    const endpoint = await aGraphQLEndpoint();
    const query =
      'query ($n: Int) { devices(first: $n) { nodes { coredumps(first: $n) { nodes { id chip } } } } }';

    for (let time = 0; time < TIMES; time++) {
      expect((await endpoint.send(query, { n: 1 })).errors).toEqual([]);
      expect((await endpoint.send(query, { n: 200 })).errors).toMatchObject([
        { extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'cost' } },
      ]);
    }
  });

  it('takes no more SQL statements than at first', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    for (let i = 0; i < 20; i++) await endpoint.fleet.aDump(await endpoint.fleet.aDevice(model));
    const query =
      '{ devices(first: 20) { totalCount nodes { model { code } coredumps(first: 5) { totalCount nodes { device { key } firmware { version } } } } } }';

    const first = (await endpoint.statementsOf(() => endpoint.send(query))).length;
    for (let time = 1; time < TIMES; time++) {
      expect(await endpoint.statementsOf(() => endpoint.send(query))).toHaveLength(first);
    }
  });

  it('changes nothing twice', async () => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.fleet.aModel({ code: 'pump' });
    const mutation =
      'mutation { a: createDevice(input: { modelCode: "pump" }) { device { key } } b: createDevice(input: { modelCode: "none" }) { device { key } } }';

    for (let time = 0; time < TIMES; time++) {
      expect((await endpoint.send(mutation)).errors).toMatchObject([{ path: ['b'] }]);
    }

    expect(await endpoint.db.device.count()).toBe(TIMES);
  });
});
