import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

const SPLIT = `mutation ($id: ID!, $fingerprints: [String!]!) {
  splitCrashGroup(input: { id: $id, fingerprints: $fingerprints }) { crashGroup { id } }
}`;
const MERGE = `mutation ($into: ID!, $ids: [ID!]!) {
  mergeCrashGroups(input: { intoId: $into, ids: $ids }) { crashGroup { id } }
}`;
const CREATE_RULE = graphql(`
  mutation RuleOfGroup($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { alertRule { id } } }
`);
const RULES = graphql(`query RulesOfGroups { alertRules { nodes { enabled crashGroup { id } } } }`);

const aDevice = async (endpoint: GraphQLEndpoint) => endpoint.fleet.aDevice(await endpoint.fleet.aModel());

/** The codes that the requests were answered with; "done" without one. */
async function codesOf(requests: ReadonlyArray<ReturnType<GraphQLEndpoint['send']>>): Promise<string[]> {
  const answers = await Promise.all(requests);
  return answers.map(({ errors }) => errors[0]?.extensions.code ?? 'done');
}

/** A group of as many fingerprints as places. */
async function aGroupOf(endpoint: GraphQLEndpoint, places: readonly string[]): Promise<string> {
  const device = await aDevice(endpoint);
  const ids: string[] = [];
  for (const place of places) ids.push((await aCrash(endpoint, device, { place })).groupId);
  const [into = '', ...others] = ids;
  expect(await codesOf([endpoint.send(MERGE, { into, ids: others })])).toEqual(['done']);
  return into;
}

const aRule = (endpoint: GraphQLEndpoint, crashGroupId: string) =>
  endpoint.ask(CREATE_RULE, {
    input: { name: 'of one group', url: 'http://127.0.0.1:9/', format: 'GENERIC', crashGroupId },
  });

describe('simultaneous changes of crash groups', () => {
  it('take a fingerprint out once; who comes later is told where it is now', async () => {
    const endpoint = await aGraphQLEndpoint();
    const id = await aGroupOf(endpoint, ['a', 'b']);
    const split = () => endpoint.send(SPLIT, { id, fingerprints: ['v1:b'] });

    const codes = await codesOf([split(), split(), split(), split()]);

    expect(codes.sort()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'done']);
    expect((await split()).errors[0]?.message).toMatch(/"v1:b" is not in this group but in/);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('leave a group its last fingerprint, whoever takes out the others', async () => {
    const endpoint = await aGraphQLEndpoint();
    const id = await aGroupOf(endpoint, ['a', 'b']);

    const codes = await codesOf(
      ['v1:a', 'v1:b'].map((name) => endpoint.send(SPLIT, { id, fingerprints: [name] })),
    );

    expect(codes).toContain('done');
    expect(codes.filter((code) => code !== 'done')).toHaveLength(1);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('merge groups in a circle until one is left, and refuse the rest by name', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    for (let round = 0; round < 3; round++) {
      const ids: string[] = [];
      for (let index = 0; index < 6; index++) {
        ids.push((await aCrash(endpoint, device, { place: `round${round}_${index}` })).groupId);
      }

      const codes = await codesOf(
        ids.map((into, index) => endpoint.send(MERGE, { into, ids: [ids[(index + 1) % ids.length] ?? ''] })),
      );

      expect(codes).toContain('done');
      expect(codes.filter((code) => !['done', 'CONFLICT', 'NOT_FOUND'].includes(code))).toEqual([]);
      expect(await recount(endpoint.databaseUrl)).toEqual([]);
    }
  });

  it('never leave a rule without its group', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId: into } = await aCrash(endpoint, device, { place: 'into' });
    const { groupId: other } = await aCrash(endpoint, device, { place: 'other' });

    const rules = Array.from({ length: 6 }, () => aRule(endpoint, other).catch(String));
    await Promise.all([...rules, endpoint.send(MERGE, { into, ids: [other] })]);

    const { alertRules } = await endpoint.ask(RULES, {});
    expect(alertRules.nodes.every(({ crashGroup }) => crashGroup?.id === into)).toBe(true);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });
});

describe('the rule of a group that was a misreading', () => {
  it('follows its crash to the group that it belongs to now', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump, groupId } = await aCrash(endpoint, await aDevice(endpoint), { place: 'wrong' });
    await aRule(endpoint, groupId);

    await endpoint.state.reset({ id: dump.id });
    const right = await parsed(endpoint, dump, { crash: { place: 'right' } });

    expect((await endpoint.ask(RULES, {})).alertRules.nodes).toEqual([
      { enabled: true, crashGroup: { id: right } },
    ]);
  });

  it('is switched off when that is none, and does not tell of every group instead', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump, groupId } = await aCrash(endpoint, await aDevice(endpoint), { place: 'wrong' });
    await aRule(endpoint, groupId);

    await endpoint.state.reset({ id: dump.id });
    await parsed(endpoint, dump, { crash: { hasReport: false } });

    expect((await endpoint.ask(RULES, {})).alertRules.nodes).toEqual([{ enabled: false, crashGroup: null }]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });
});
