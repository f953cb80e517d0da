import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import type { TagConditionsInput } from '../generated/graphql.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { aCrashAt, type Call } from '../support/own-code.js';

const CREATE = graphql(`
  mutation CreateTestTag($name: String!) { createTag(input: { name: $name, color: BLUE }) { tag { id name color } } }
`);
const CHANGE = graphql(`
  mutation ChangeTags($input: SetGroupTagsInput!) { setGroupTags(input: $input) { crashGroups { id tags { name } } } }
`);
const RULE = graphql(`
  mutation CreateTestRule($tagId: ID!, $conditions: TagConditionsInput!) {
    createTagRule(input: { tagId: $tagId, conditions: $conditions }) { tagRule { id tag { name } version } }
  }
`);
const PREVIEW = graphql(`
  query PreviewTestRule($conditions: TagConditionsInput!) {
    previewTagRule(conditions: $conditions) { groupCount isComplete crashGroups { title } }
  }
`);
const GROUPS = graphql(`
  query TaggedGroups($filter: CrashGroupFilter) {
    crashGroups(filter: $filter, orderBy: { field: FIRST_SEEN_AT, direction: ASC }) { nodes { id title tags { name } } }
  }
`);
const TAGS = graphql(`query TestTags { tags { id name color groupCount rules { id } } }`);
const DELETE = graphql(`mutation DeleteTestTag($id: ID!) { deleteTag(input: { id: $id }) { deletedTagId } }`);
const MERGE = graphql(`
  mutation MergeTagged($ids: [ID!]!, $intoId: ID!) {
    mergeCrashGroups(input: { ids: $ids, intoId: $intoId }) { crashGroup { id tags { name } } }
  }
`);
const SPLIT = graphql(`
  mutation SplitTagged($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(input: { id: $id, fingerprints: $fingerprints }) { crashGroup { id tags { name } } fromCrashGroup { tags { name } } }
  }
`);
const FINGERPRINTS = graphql(`query OfTagged($id: ID!) { crashGroup(id: $id) { fingerprints } }`);

const WIFI: Call = ['wifi_connect', '/b/main/wifi.c'];
const SENSOR: Call = ['sensor_read', '/b/main/sensor.c'];

async function aWorld() {
  const endpoint = await aGraphQLEndpoint();
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'thermostat' }));
  return { endpoint, device };
}

async function aTag(endpoint: GraphQLEndpoint, name: string): Promise<string> {
  return (await endpoint.ask(CREATE, { name })).createTag.tag.id;
}

async function aRule(endpoint: GraphQLEndpoint, tagId: string, conditions: TagConditionsInput) {
  const answer = await endpoint.ask(RULE, { tagId, conditions });
  await endpoint.ruleRuns.idle();
  return answer.createTagRule.tagRule;
}

const tagsOf = async (endpoint: GraphQLEndpoint, tag?: string[]) =>
  (await endpoint.ask(GROUPS, { filter: tag === undefined ? {} : { tag } })).crashGroups.nodes.map(
    ({ title, tags }) => [title, ...tags.map(({ name }) => name)],
  );

const IN_WIFI = 'LoadProhibited in wifi_connect (wifi.c)';
const IN_SENSOR = 'LoadProhibited in sensor_read (sensor.c)';

describe('tags of groups', () => {
  it('are given and taken by people, filter the list, and are counted', async () => {
    const { endpoint, device } = await aWorld();
    const wifi = await aCrashAt(endpoint, device, [WIFI]);
    const sensor = await aCrashAt(endpoint, device, [SENSOR]);
    const [net, blocker] = [await aTag(endpoint, 'net'), await aTag(endpoint, 'blocker')];

    const groupIds = [wifi.groupId, sensor.groupId];
    await endpoint.ask(CHANGE, { input: { groupIds, add: [blocker, net] } });
    await endpoint.ask(CHANGE, { input: { groupIds: [sensor.groupId], remove: [net] } });

    expect(await tagsOf(endpoint)).toEqual([
      [IN_WIFI, 'blocker', 'net'],
      [IN_SENSOR, 'blocker'],
    ]);
    expect(await tagsOf(endpoint, [net])).toEqual([[IN_WIFI, 'blocker', 'net']]);
    expect((await endpoint.ask(TAGS, {})).tags).toMatchObject([
      { name: 'blocker', color: 'BLUE', groupCount: 2 },
      { name: 'net', groupCount: 1 },
    ]);
    expect(await endpoint.db.auditEvent.findMany({ where: { action: 'setGroupTags' } })).toMatchObject([
      { target: IN_WIFI, detail: 'added blocker, net' },
      { target: IN_SENSOR, detail: 'added blocker, net' },
      { target: IN_SENSOR, detail: 'removed net' },
    ]);
    expect((await endpoint.ask(DELETE, { id: blocker })).deleteTag.deletedTagId).toBe(blocker);
    expect(await tagsOf(endpoint)).toEqual([[IN_WIFI, 'net'], [IN_SENSOR]]);
  });

  it('are read for a list of groups in one statement', async () => {
    const { endpoint, device } = await aWorld();
    const net = await aTag(endpoint, 'net');
    const groupIds = [];
    for (const at of [1, 2, 3])
      groupIds.push((await aCrashAt(endpoint, device, [[`f${at}`, '/b/main/f.c']])).groupId);
    await endpoint.ask(CHANGE, { input: { groupIds, add: [net] } });

    const statements = await endpoint.statementsOf(() => endpoint.ask(GROUPS, {}));

    expect(statements.filter((sql) => sql.includes('"GroupTag"'))).toHaveLength(1);
  });

  it('are given by rules, to the groups that there are and to new crashes', async () => {
    const { endpoint, device } = await aWorld();
    await aCrashAt(endpoint, device, [WIFI], { version: '2.0.1' });
    await aCrashAt(endpoint, device, [SENSOR], { version: '2.0.1' });
    const net = await aTag(endpoint, 'net');
    const conditions = { modelCode: 'thermostat', file: 'wifi*', version: '2.*' };

    expect((await endpoint.ask(PREVIEW, { conditions })).previewTagRule).toEqual({
      ...{ groupCount: 1, isComplete: true },
      crashGroups: [{ title: IN_WIFI }],
    });
    await aRule(endpoint, net, conditions);
    await aCrashAt(endpoint, device, [['wifi_scan', '/b/main/wifi_scan.c']], { version: '2.1.0' });
    await aCrashAt(endpoint, device, [['wifi_stop', '/b/main/wifi_stop.c']], { version: '1.0.0' });

    expect(await tagsOf(endpoint)).toEqual([
      [IN_WIFI, 'net'],
      [IN_SENSOR],
      ['LoadProhibited in wifi_scan (wifi_scan.c)', 'net'],
      ['LoadProhibited in wifi_stop (wifi_stop.c)'],
    ]);
    expect(
      await endpoint.db.regroupRun.count({ where: { fingerprintVersion: { startsWith: 'tag rule' } } }),
    ).toBe(0);
  });

  it('of a rule for a task are given by the task of each crash', async () => {
    const { endpoint, device } = await aWorld();
    await aCrashAt(endpoint, device, [WIFI], { task: 'net_task' });
    await aCrashAt(endpoint, device, [SENSOR], { task: 'main' });
    const net = await aTag(endpoint, 'net');

    await aRule(endpoint, net, { task: 'net*', kind: 'ABORT' });

    expect(await tagsOf(endpoint)).toEqual([[IN_WIFI], [IN_SENSOR]]);
    await aRule(endpoint, net, { task: 'net*' });
    expect(await tagsOf(endpoint)).toEqual([[IN_WIFI, 'net'], [IN_SENSOR]]);
  });

  it('that a person took away are not given again by a rule', async () => {
    const { endpoint, device } = await aWorld();
    const { groupId } = await aCrashAt(endpoint, device, [WIFI]);
    const net = await aTag(endpoint, 'net');
    await aRule(endpoint, net, { function: 'wifi_*' });
    expect(await tagsOf(endpoint)).toEqual([[IN_WIFI, 'net']]);

    await endpoint.ask(CHANGE, { input: { groupIds: [groupId], remove: [net] } });
    await aCrashAt(endpoint, device, [WIFI]);
    await aRule(endpoint, net, { file: 'wifi.c' });

    expect(await tagsOf(endpoint)).toEqual([[IN_WIFI]]);
  });

  it('are joined by a merge, and as they were after the split', async () => {
    const { endpoint, device } = await aWorld();
    const wifi = await aCrashAt(endpoint, device, [WIFI]);
    const sensor = await aCrashAt(endpoint, device, [SENSOR]);
    const [net, i2c, both] = [
      await aTag(endpoint, 'net'),
      await aTag(endpoint, 'i2c'),
      await aTag(endpoint, 'both'),
    ];
    await endpoint.ask(CHANGE, { input: { groupIds: [wifi.groupId], add: [net, both] } });
    await endpoint.ask(CHANGE, { input: { groupIds: [sensor.groupId], add: [i2c, both] } });
    const { crashGroup } = await endpoint.ask(FINGERPRINTS, { id: sensor.groupId });

    const merged = await endpoint.ask(MERGE, { ids: [sensor.groupId], intoId: wifi.groupId });
    const split = await endpoint.ask(SPLIT, {
      id: wifi.groupId,
      fingerprints: crashGroup?.fingerprints ?? [],
    });

    const names = (...all: string[]) => all.map((name) => ({ name }));
    expect(merged.mergeCrashGroups.crashGroup.tags).toEqual(names('both', 'i2c', 'net'));
    expect(split.splitCrashGroup).toEqual({
      crashGroup: { id: sensor.groupId, tags: names('both', 'i2c') },
      fromCrashGroup: { tags: names('both', 'net') },
    });
  });

  it.each([
    ['createTag(input: { name: "NET" }) { clientMutationId }', 'There is already a tag “net”.'],
    [
      'createTag(input: { name: " " }) { clientMutationId }',
      'A tag’s name is 1 to 32 characters on one line.',
    ],
    [
      'createTagRule(input: { tagId: "VGFnOjE=", conditions: { modelCode: null } }) { clientMutationId }',
      'A rule needs at least one condition: without one it would give its tag to every group.',
    ],
    [
      'setGroupTags(input: { groupIds: ["Q3Jhc2hHcm91cDo5"], add: ["VGFnOjE="] }) { clientMutationId }',
      undefined,
    ],
  ])('are refused with a sentence: %s', async (mutation, message) => {
    const endpoint = await aGraphQLEndpoint();
    await aTag(endpoint, 'net');

    const { errors } = await endpoint.send(`mutation { ${mutation} }`);

    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toEqual(message ?? expect.stringContaining('crash group'));
  });
});
