import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { graphql } from '../generated/gql.js';
import { aServer } from '../support/app.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { AUDIENCE, anOidcProvider, inSeconds } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

const NODES = graphql(`query ManyNodes($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`);
const NODE = graphql(`query OneNode($id: ID!) { node(id: $id) { __typename id } }`);
const RULE = graphql(`
  mutation RuleOfNodes($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { alertRule { id } } }
`);
const TEST = graphql(`
  mutation TestOfNodes($id: ID!) { testAlertRule(input: { id: $id }) { alertDelivery { id } } }
`);
const VIEWER_QUERY = '{ viewer { name role canMutate expiresAt } }';

describe('nodes', () => {
  it('are found by their ids, in their order, with null for each that does not exist', async () => {
    const endpoint = await aGraphQLEndpoint();
    const ids = await oneOfEach(endpoint);
    const missing = encodeGlobalId('Device', 999);

    const { nodes } = await endpoint.ask(NODES, { ids: [...ids, missing, ...ids.slice(0, 1)] });

    expect(nodes.map((node) => node?.id ?? null)).toEqual([...ids, null, ids[0]]);
    expect(nodes.map((node) => node?.__typename ?? null)).toEqual([
      ...['Device', 'DeviceModel', 'Firmware', 'Coredump', 'CrashGroup', 'AlertRule', 'AlertDelivery'],
      null,
      'Device',
    ]);
  });

  it('are found one by one, of every type', async () => {
    const endpoint = await aGraphQLEndpoint();

    for (const id of await oneOfEach(endpoint)) {
      expect((await endpoint.ask(NODE, { id })).node?.id).toBe(id);
    }
  });

  it('of one type are one statement for 200 ids', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel();
    const devices = await Promise.all(Array.from({ length: 200 }, () => endpoint.fleet.aDevice(model)));
    const ids = devices.map(({ globalId }) => globalId);

    const statements = await endpoint.statementsOf(() => endpoint.ask(NODES, { ids }));

    expect(statements).toHaveLength(1);
  });

  it('of more than 200 ids are refused', async () => {
    const { send } = await aGraphQLEndpoint();

    const { errors } = await send('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: Array.from({ length: 201 }, (_, index) => encodeGlobalId('Device', index + 1)),
    });

    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('at most 200'),
      extensions: { max: 200 },
    });
  });
});

describe('the cost of nodes', () => {
  it.each([
    [
      'in variables',
      (ids: string[]) => ['query ($ids: [ID!]!) { nodes(ids: $ids) SELECTION }', { ids }] as const,
    ],
    ['in the document', (ids: string[]) => [`{ nodes(ids: ${JSON.stringify(ids)}) SELECTION }`, {}] as const],
  ])('counts as many items as ids %s', async (_, operation) => {
    const { send } = await aGraphQLEndpoint();
    const selection =
      '{ ... on Device { coredumps(first: 200) { nodes { id filename chip size sha256 } } } }';
    const ask = (count: number) => {
      const [query, variables] = operation(
        Array.from({ length: count }, (_, index) => encodeGlobalId('Device', index + 1)),
      );
      return send(query.replace('SELECTION', selection), variables);
    };

    expect((await ask(1)).errors).toEqual([]);
    expect((await ask(200)).errors).toMatchObject([
      { extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'cost' } },
    ]);
  });
});

describe('the viewer', () => {
  it('is anybody, and may do everything, while authentication is off', async () => {
    const { send } = await aGraphQLEndpoint();

    expect((await send(VIEWER_QUERY)).data).toEqual({
      viewer: { name: 'anybody', role: 'ADMIN', canMutate: true, expiresAt: null },
    });
  });

  it('has the role of its token, and says when that expires', async () => {
    const issuer = await anOidcProvider([{ id: 'dashboard', roles: ['viewer'] }]);
    const app = await aServer({ ...STATIC_TOKENS, ...issuer.environment }, { token: ADMIN });
    const until = inSeconds(600);
    const claims = { iss: issuer.issuer, aud: AUDIENCE, sub: 'anna', azp: 'dashboard', exp: until };
    const signedIn = await issuer.sign({ ...claims, realm_access: { roles: ['viewer'] } });

    const [admin, viewer, person] = await Promise.all(
      [ADMIN, VIEWER, signedIn].map((token) => viewerOf(app.url, token)),
    );

    expect(admin).toMatchObject({ viewer: { role: 'ADMIN', canMutate: true, expiresAt: null } });
    expect(viewer).toMatchObject({ viewer: { role: 'VIEWER', canMutate: false, expiresAt: null } });
    expect(person).toMatchObject({ viewer: { name: 'anna', role: 'VIEWER', canMutate: false } });
    // Not before the token's own end, and not long after it.
    const lateMs = Date.parse(String(person?.viewer.expiresAt)) - until * 1000;
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThanOrEqual(60_000);
  });
});

async function viewerOf(url: string, token: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: VIEWER_QUERY }),
  });
  return ((await response.json()) as { data: { viewer: { expiresAt: string | null } } | null }).data;
}

/** @returns global ids: device, model, firmware, dump, group, rule, delivery */
async function oneOfEach(endpoint: GraphQLEndpoint): Promise<string[]> {
  const model = await endpoint.fleet.aModel();
  const device = await endpoint.fleet.aDevice(model);
  const firmware = await endpoint.fleet.aFirmware(model);
  const { dump, groupId } = await aCrash(endpoint, device);
  const input = { name: 'team', url: 'https://example.com/hook', format: 'GENERIC' as const };
  const { createAlertRule } = await endpoint.ask(RULE, { input });
  const { id } = createAlertRule.alertRule;
  const { testAlertRule } = await endpoint.ask(TEST, { id });
  if (groupId === null) throw new Error('the crash has a group');
  return [
    ...[device.globalId, model.globalId, firmware.globalId, dump.globalId, groupId],
    ...[id, testAlertRule.alertDelivery.id],
  ];
}
