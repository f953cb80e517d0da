import { getNamedType, isLeafType, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema/schema.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const LISTED = 'id filename chip firmwareVersion size parseStatus uploadedAt device { key }';

describe('the dumps of devices', () => {
  it('have every field that dumps have, whatever was read for it', async () => {
    const endpoint = await anEndpointWithDumps();
    const type = schema.getType('Coredump');
    if (!isObjectType(type)) throw new Error('there are no dumps');

    for (const field of Object.values(type.getFields())) {
      const asked = isLeafType(getNamedType(field.type)) ? field.name : `${field.name} { __typename }`;
      const { data, errors } = await endpoint.send(
        `{ coredumps(filter: { deviceKey: "dev" }) { nodes { ${asked} } } device(key: "dev") { coredumps { nodes { ${asked} } } } }`,
      );

      expect(errors, field.name).toEqual([]);
      expect(data?.device, field.name).toEqual({ coredumps: data?.coredumps });
    }
  });

  it.each([
    ['what lists show', `nodes { ${LISTED} }`, false],
    ['the page beside it', `totalCount pageInfo { hasNextPage } edges { cursor node { ${LISTED} } }`, false],
    ['a fragment', `nodes { ...listed ... on Coredump { chip } }`, false],
    ['more', `nodes { ${LISTED} sha256 }`, true],
    ['more by another name', 'nodes { id filename: fingerprint }', true],
    ['more in edges', `nodes { ...listed } edges { node { ... on Coredump { parsedAt } } }`, true],
    ['more in a fragment', `nodes { ...more }`, true],
    ['more in another place', `nodes { id } nodes { firmware { version } }`, true],
  ])('are read with all columns only for who wants more: %s', async (_, selection, isAll) => {
    const endpoint = await anEndpointWithDumps();
    const query = `{ device(key: "dev") { coredumps(first: 2) { ${selection} } } }
      ${selection.includes('...listed') || selection.includes('...more') ? `fragment listed on Coredump { ${LISTED} }` : ''}
      ${selection.includes('...more') ? 'fragment more on Coredump { ...listed parseAttempts }' : ''}`;

    const statements = await endpoint.statementsOf(async () => {
      expect((await endpoint.send(query)).errors).toEqual([]);
    });

    const ofDumps = statements.filter((sql) => sql.includes('"filename"'));
    expect(ofDumps).toHaveLength(1);
    expect(ofDumps[0]?.includes('"sha256"')).toBe(isAll);
  });

  it('are pages of their own, from both ends, with a filter and without', async () => {
    const endpoint = await anEndpointWithDumps();
    const page = (args: string) =>
      `{ devices { nodes { key coredumps(${args}) { nodes { filename } pageInfo { hasNextPage hasPreviousPage } } } } }`;
    const names = async (args: string) => {
      const { data } = await endpoint.send(page(args));
      const { nodes } = (data as { devices: { nodes: Named[] } }).devices;
      return nodes.map(({ coredumps }) => coredumps.nodes.map(({ filename }) => filename));
    };
    const [first = [], second = []] = await names('first: 100');

    expect([first.length, second.length]).toEqual([4, 6]);
    expect(await names('first: 3')).toEqual([first.slice(0, 3), second.slice(0, 3)]);
    expect(await names('last: 3')).toEqual([first.slice(-3), second.slice(-3)]);
    expect(await names('first: 5, filter: { parseStatus: PARSED }')).toEqual([
      first.filter((_, index) => index % 2 === 0),
      second.filter((_, index) => index % 2 === 0),
    ]);
    const cursor = Buffer.from('id:5').toString('base64');
    expect(await names(`first: 2, after: "${cursor}"`)).toEqual([[], second.slice(2, 4)]);
    expect(await names(`last: 2, before: "${cursor}"`)).toEqual([first.slice(-2), second.slice(0, 1)]);
  });
});

interface Named {
  coredumps: { nodes: Array<{ filename: string }> };
}

/** "dev" has six dumps, then "other" four. */
async function anEndpointWithDumps(): Promise<GraphQLEndpoint> {
  const endpoint = await aGraphQLEndpoint();
  const model = await endpoint.fleet.aModel();
  for (const [key, count] of [
    ['dev', 6],
    ['other', 4],
  ] as const) {
    const device = await endpoint.fleet.aDevice(model, { key });
    for (let i = 0; i < count; i++) {
      await endpoint.fleet.aDump(device, { parseStatus: i % 2 === 0 ? 'ERROR' : 'PARSED' });
    }
  }
  return endpoint;
}
