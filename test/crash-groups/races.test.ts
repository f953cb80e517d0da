import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash, parsed } from '../support/crash-groups.js';
import { aGraphQLDoor, type GraphQLDoor } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

const SPLIT = `mutation ($id: ID!, $fingerprints: [String!]!) {
  splitCrashGroup(id: $id, fingerprints: $fingerprints) { id }
}`;
const MERGE = `mutation ($into: ID!, $ids: [ID!]!) { mergeCrashGroups(into: $into, ids: $ids) { id } }`;
const CREATE_RULE = graphql(`
  mutation RuleOfGroup($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { rule { id } } }
`);
const RULES = graphql(`query RulesOfGroups { alertRules { enabled crashGroup { id } } }`);

const aDevice = async (door: GraphQLDoor) => door.fleet.aDevice(await door.fleet.aModel());

/** The codes that the requests were answered with; "done" without one. */
async function codesOf(requests: ReadonlyArray<ReturnType<GraphQLDoor['send']>>): Promise<string[]> {
  const answers = await Promise.all(requests);
  return answers.map(({ errors }) => errors[0]?.extensions.code ?? 'done');
}

/** A group of as many fingerprints as places. */
async function aGroupOf(door: GraphQLDoor, places: readonly string[]): Promise<string> {
  const device = await aDevice(door);
  const ids: string[] = [];
  for (const place of places) ids.push((await aCrash(door, device, { place })).groupId);
  const [into = '', ...others] = ids;
  expect(await codesOf([door.send(MERGE, { into, ids: others })])).toEqual(['done']);
  return into;
}

const aRule = (door: GraphQLDoor, crashGroupId: string) =>
  door.ask(CREATE_RULE, {
    input: { name: 'of one group', url: 'http://127.0.0.1:9/', format: 'GENERIC', crashGroupId },
  });

describe('simultaneous changes of crash groups', () => {
  it('take a fingerprint out once; who comes later is told where it is now', async () => {
    const door = await aGraphQLDoor();
    const id = await aGroupOf(door, ['a', 'b']);
    const split = () => door.send(SPLIT, { id, fingerprints: ['v1:b'] });

    const codes = await codesOf([split(), split(), split(), split()]);

    expect(codes.sort()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'done']);
    expect((await split()).errors[0]?.message).toMatch(/"v1:b" is not in this group but in/);
    expect(await recount(door.databaseUrl)).toEqual([]);
  });

  it('leave a group its last fingerprint, whoever takes out the others', async () => {
    const door = await aGraphQLDoor();
    const id = await aGroupOf(door, ['a', 'b']);

    const codes = await codesOf(
      ['v1:a', 'v1:b'].map((name) => door.send(SPLIT, { id, fingerprints: [name] })),
    );

    expect(codes).toContain('done');
    expect(codes.filter((code) => code !== 'done')).toHaveLength(1);
    expect(await recount(door.databaseUrl)).toEqual([]);
  });

  it('merge groups in a circle until one is left, and refuse the rest by name', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    for (let round = 0; round < 3; round++) {
      const ids: string[] = [];
      for (let index = 0; index < 6; index++) {
        ids.push((await aCrash(door, device, { place: `round${round}_${index}` })).groupId);
      }

      const codes = await codesOf(
        ids.map((into, index) => door.send(MERGE, { into, ids: [ids[(index + 1) % ids.length] ?? ''] })),
      );

      expect(codes).toContain('done');
      expect(codes.filter((code) => !['done', 'CONFLICT', 'NOT_FOUND'].includes(code))).toEqual([]);
      expect(await recount(door.databaseUrl)).toEqual([]);
    }
  });

  it('never leave a rule without its group', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId: into } = await aCrash(door, device, { place: 'into' });
    const { groupId: other } = await aCrash(door, device, { place: 'other' });

    const rules = Array.from({ length: 6 }, () => aRule(door, other).catch(String));
    await Promise.all([...rules, door.send(MERGE, { into, ids: [other] })]);

    const { alertRules } = await door.ask(RULES, {});
    expect(alertRules.every(({ crashGroup }) => crashGroup?.id === into)).toBe(true);
    expect(await recount(door.databaseUrl)).toEqual([]);
  });
});

describe('the rule of a group that was a misreading', () => {
  it('follows its crash to the group that it belongs to now', async () => {
    const door = await aGraphQLDoor();
    const { dump, groupId } = await aCrash(door, await aDevice(door), { place: 'wrong' });
    await aRule(door, groupId);

    await door.state.reset({ id: dump.id });
    const right = await parsed(door, dump, { crash: { place: 'right' } });

    expect((await door.ask(RULES, {})).alertRules).toEqual([{ enabled: true, crashGroup: { id: right } }]);
  });

  it('is switched off when that is none, and does not tell of every group instead', async () => {
    const door = await aGraphQLDoor();
    const { dump, groupId } = await aCrash(door, await aDevice(door), { place: 'wrong' });
    await aRule(door, groupId);

    await door.state.reset({ id: dump.id });
    await parsed(door, dump, { crash: { fingerprint: null } });

    expect((await door.ask(RULES, {})).alertRules).toEqual([{ enabled: false, crashGroup: null }]);
    expect(await recount(door.databaseUrl)).toEqual([]);
  });
});
