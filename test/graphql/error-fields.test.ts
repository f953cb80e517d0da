import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { type AnswerError, aGraphQLEndpoint } from '../support/graphql-server.js';

type Case = [what: string, query: string, variables: object, field: string | undefined];

const CREATE = 'mutation ($i: CreateDeviceInput!) { createDevice(input: $i) { token } }';
const PRIVACY =
  'mutation ($input: SetModelPrivacyInput!) { setModelPrivacy(input: $input) { clientMutationId } }';

/** What graphql refuses: before anything runs. */
const COERCED: Case[] = [
  ['a literal', '{ devices(first: "x") { totalCount } }', {}, 'first'],
  ['a literal in an object', '{ coredumps(filter: { search: 1 }) { totalCount } }', {}, 'filter.search'],
  ['a literal in a list', '{ coredumps(filter: { chip: ["a", 2] }) { totalCount } }', {}, 'filter.chip.1'],
  ['a date', '{ coredumps(filter: { uploadedAfter: "now" }) { totalCount } }', {}, 'filter.uploadedAfter'],
  ['a missing argument', '{ device { id } }', {}, 'key'],
  ['an unknown argument', '{ device(key: "a", name: "b") { id } }', {}, 'name'],
  ['a missing member', 'mutation { createDevice(input: { key: "a" }) { token } }', {}, 'input.modelCode'],
  [
    'an unknown member',
    'mutation { createDevice(input: { modelCode: "a", nme: "b" }) { token } }',
    {},
    'input.nme',
  ],
  ['a variable', 'query ($n: Int) { devices(first: $n) { totalCount } }', { n: 'many' }, 'first'],
  [
    'a variable in an object',
    'query ($q: String) { devices(filter: { search: $q }) { totalCount } }',
    { q: 1 },
    'filter.search',
  ],
  ['a member of a variable', PRIVACY, { input: { modelCode: 'a', keepRawDays: 'x' } }, 'input.keepRawDays'],
  ['a missing member of a variable', CREATE, { i: { key: 'a' } }, 'input.modelCode'],
  ['an unknown member of a variable', CREATE, { i: { modelCode: 'a', nme: 'b' } }, 'input.nme'],
  ['a missing variable', CREATE, {}, 'input'],
  ['null for a variable that may not be', CREATE, { i: null }, 'input'],
  [
    'a date in a variable',
    'query ($f: CoredumpFilter) { coredumps(filter: $f) { totalCount } }',
    { f: { uploadedAfter: 'now' } },
    'filter.uploadedAfter',
  ],
  ['no input at all', '{ nothing }', {}, undefined],
  ['a directive', '{ devices @include(if: "x") { totalCount } }', {}, undefined],
];

/** What resolvers and services refuse. */
const REFUSED: Case[] = [
  ['a page', '{ devices(first: -1) { totalCount } }', {}, 'first'],
  ['a page from the end', '{ devices(last: -1) { totalCount } }', {}, 'last'],
  ['a cursor', '{ coredumps(after: "abc") { totalCount } }', {}, 'after'],
  [
    'a search that is too long',
    `{ devices(filter: { search: "${'x'.repeat(300)}" }) { totalCount } }`,
    {},
    'filter.search',
  ],
  ['a search without a word', '{ search(query: "…") { devices { nodes { key } } } }', {}, 'query'],
  [
    'a time series that ends before it begins',
    '{ crashes(unit: DAY, from: "2026-02-02T00:00:00Z", to: "2026-02-01T00:00:00Z") { count } }',
    {},
    'to',
  ],
  ['a page far below', '{ device(key: "dev1") { coredumps(first: -1) { totalCount } } }', {}, 'first'],
  ['a key', CREATE, { i: { modelCode: 'pump', key: 'DEV' } }, 'input.key'],
  ['a key that is taken', CREATE, { i: { modelCode: 'pump', key: 'dev1' } }, 'input.key'],
  ['a model that is not there', CREATE, { i: { modelCode: 'none' } }, 'input.modelCode'],
  ['days', PRIVACY, { input: { modelCode: 'pump', keepRawDays: 0 } }, 'input.keepRawDays'],
  [
    'an id of another type',
    `mutation { deleteDevice(input: { id: "${encodeGlobalId('Coredump', 1)}" }) { deletedDeviceId } }`,
    {},
    'input.id',
  ],
  [
    'an id of nothing',
    `mutation { deleteDevice(input: { id: "${encodeGlobalId('Device', 999)}" }) { deletedDeviceId } }`,
    {},
    'input.id',
  ],
  [
    'an id of another name',
    'mutation { deleteCoredumps(input: { deviceId: "x" }) { count } }',
    {},
    'input.deviceId',
  ],
  [
    'an address',
    'mutation { createAlertRule(input: { name: "a", url: "ftp://a", format: SLACK }) { secret } }',
    {},
    'input.url',
  ],
];

describe('an error names the input that it is about:', () => {
  it.each([...COERCED, ...REFUSED])('%s', async (_, query, variables, field) => {
    const endpoint = await anEndpointWithDevice(false);

    const { errors } = await endpoint.send(query, variables);

    expect(fieldsOf(errors)).toEqual([field]);
  });

  it('also where a query runs in its own thread', async () => {
    const endpoint = await anEndpointWithDevice(true);

    for (const [what, query, variables, field] of REFUSED.filter(([, query]) => query.startsWith('{'))) {
      expect(fieldsOf((await endpoint.send(query, variables)).errors), what).toEqual([field]);
    }
  });

  it('each its own', async () => {
    const endpoint = await anEndpointWithDevice(false);

    const { errors } = await endpoint.send(
      'query ($a: Int, $b: CoredumpFilter) { coredumps(first: $a, filter: $b) { totalCount } }',
      { a: 'x', b: { chip: [1, 'c', 2], nme: 1 } },
    );

    expect(fieldsOf(errors)).toEqual(['first', 'filter.chip.0', 'filter.chip.2', 'filter.nme']);
  });
});

async function anEndpointWithDevice(queriesApart: boolean) {
  const endpoint = await aGraphQLEndpoint({ queriesApart });
  await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'pump' }), { key: 'dev1' });
  return endpoint;
}

function fieldsOf(errors: readonly AnswerError[]): Array<string | undefined> {
  expect(errors.map(({ extensions }) => extensions.code)).not.toContain('INTERNAL_SERVER_ERROR');
  return errors.map(({ extensions }) => extensions.field);
}
