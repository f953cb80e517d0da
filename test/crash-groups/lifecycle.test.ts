import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const RESOLVE = graphql(`
  mutation Resolve($id: ID!, $inVersion: String) {
    resolveCrashGroup(input: { id: $id, inVersion: $inVersion }) {
      crashGroup { state resolvedAt resolvedInVersion }
    }
  }
`);
const STATE = graphql(`
  query GroupState($id: ID!) {
    crashGroup(id: $id) { state isRegression regressedInVersion resolvedInVersion count }
  }
`);
const GROUP_LIFECYCLE = graphql(`
  mutation GroupLifecycle($id: ID!) {
    assignCrashGroup(input: { id: $id, assignee: "ada" }) { crashGroup { id } }
    noteCrashGroup(input: { id: $id, note: "a missing null check" }) { crashGroup { id } }
    ignoreCrashGroup(input: { id: $id }) { crashGroup { state assignee note } }
  }
`);
const REOPEN = graphql(
  `mutation Reopen($id: ID!) { reopenCrashGroup(input: { id: $id }) { crashGroup { state isRegression } } }`,
);
const MERGE = graphql(`
  mutation Merge($into: ID!, $ids: [ID!]!) {
    mergeCrashGroups(input: { intoId: $into, ids: $ids }) {
      crashGroup { id title count deviceCount keptCount fingerprints velocity }
    }
  }
`);
const SPLIT = graphql(`
  mutation Split($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(input: { id: $id, fingerprints: $fingerprints }) {
      crashGroup { id title count deviceCount keptCount fingerprints state }
    }
  }
`);
const ALL = graphql(
  `query AllGroups { crashGroups { nodes { id count deviceCount keptCount fingerprints } } }`,
);

const aDevice = async (endpoint: GraphQLEndpoint) => endpoint.fleet.aDevice(await endpoint.fleet.aModel());
const stateOf = async (endpoint: GraphQLEndpoint, id: string) =>
  (await endpoint.ask(STATE, { id })).crashGroup;

describe('a resolved group', () => {
  it.each([
    ['the version that has the fix', '1.3.0', '1.3.0', true],
    ['a later version', '1.3.0', 'v1.10.0', true],
    ['commits after it', '1.3.0', '1.3.0-2-gabc1234', true],
    ['an older version that is still out there', '1.3.0', '1.2.9', false],
    ['a preview of it', '1.3.0', '1.3.0-rc.1', false],
    ['a version without order that was never seen', '2026-03-01', 'nightly', true],
    ['the version it was seen in, without order', 'next', 'main', false],
    ['a new version, when none was named', null, '1.2.3', true],
    ['an old version, when none was named', null, 'main', false],
  ])('that crashes again in %s', async (_, inVersion, version, isRegression) => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId: id } = await aCrash(endpoint, device, { version: 'main' });
    await endpoint.ask(RESOLVE, { id, inVersion });

    await aCrash(endpoint, device, { version, at: new Date(Date.now() + 1000) });

    expect(await stateOf(endpoint, id)).toMatchObject({
      state: isRegression ? 'OPEN' : 'RESOLVED',
      isRegression,
      regressedInVersion: isRegression ? version : null,
      count: 2,
    });
  });

  it('stays resolved for a crash that came before that', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId: id } = await aCrash(endpoint, device);
    await endpoint.ask(RESOLVE, { id, inVersion: '1.0.0' });

    await aCrash(endpoint, device, { version: '2.0.0', at: new Date(Date.now() - 60_000) });

    expect(await stateOf(endpoint, id)).toMatchObject({ state: 'RESOLVED', isRegression: false });
  });

  it('is no regression any more when a person has looked at it', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId: id } = await aCrash(endpoint, device);
    await endpoint.ask(RESOLVE, { id, inVersion: null });
    await aCrash(endpoint, device, { version: '2.0.0', at: new Date(Date.now() + 1000) });

    expect((await endpoint.ask(REOPEN, { id })).reopenCrashGroup.crashGroup).toEqual({
      state: 'OPEN',
      isRegression: false,
    });
  });
});

it('an ignored group goes on being counted and stays ignored', async () => {
  const endpoint = await aGraphQLEndpoint();
  const device = await aDevice(endpoint);
  const { groupId: id } = await aCrash(endpoint, device);

  const { ignoreCrashGroup } = await endpoint.ask(GROUP_LIFECYCLE, { id });
  await aCrash(endpoint, device, { version: '9.0.0' });

  expect(ignoreCrashGroup.crashGroup).toEqual({
    state: 'IGNORED',
    assignee: 'ada',
    note: 'a missing null check',
  });
  expect(await stateOf(endpoint, id)).toMatchObject({ state: 'IGNORED', count: 2 });
});

describe('merging', () => {
  it('adds up what was counted, for good, and splitting takes it out again', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [first, second] = [await aDevice(endpoint), await aDevice(endpoint)];
    const { groupId: into } = await aCrash(endpoint, first, { place: 'a' });
    const { groupId: other } = await aCrash(endpoint, first, { place: 'b' });
    const { dump } = await aCrash(endpoint, second, { place: 'b' });

    const merged = (await endpoint.ask(MERGE, { into, ids: [other] })).mergeCrashGroups.crashGroup;
    expect(merged).toMatchObject({
      id: into,
      title: 'LoadProhibited in a (a.c)',
      count: 3,
      deviceCount: 2,
      keptCount: 3,
      fingerprints: ['v1:a', 'v1:b'],
    });
    // Recounted from whole hours.
    expect(merged.velocity).toBeGreaterThan(1.9);
    expect(merged.velocity).toBeLessThan(2.2);
    // Its id answers with the group that it is now.
    expect(await stateOf(endpoint, other)).toMatchObject({ count: 3 });

    // Retention must not make the two inseparable.
    await endpoint.coredumps.delete(dump.id);
    expect((await aCrash(endpoint, second, { place: 'b' })).groupId).toBe(into);

    const { splitCrashGroup } = await endpoint.ask(SPLIT, { id: into, fingerprints: ['v1:b'] });
    expect(splitCrashGroup.crashGroup).toMatchObject({
      title: 'LoadProhibited in b (b.c)',
      count: 3,
      deviceCount: 2,
      keptCount: 2,
      fingerprints: ['v1:b'],
      state: 'OPEN',
    });
    const groups = (await endpoint.ask(ALL, {})).crashGroups.nodes;
    expect(groups).toContainEqual({
      id: into,
      count: 1,
      deviceCount: 1,
      keptCount: 1,
      fingerprints: ['v1:a'],
    });
    expect(groups).toHaveLength(2);
  });

  it('loses no crash that is counted at the same time', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId: into } = await aCrash(endpoint, device, { place: 'a' });
    const { groupId: other } = await aCrash(endpoint, device, { place: 'b' });

    const crashes = Array.from({ length: 20 }, (_, index) =>
      aCrash(endpoint, device, { place: index % 2 === 0 ? 'a' : 'b' }),
    );
    await Promise.all([...crashes, endpoint.ask(MERGE, { into, ids: [other] })]);

    expect((await endpoint.ask(ALL, {})).crashGroups.nodes).toEqual([
      { id: into, count: 22, deviceCount: 1, keptCount: 22, fingerprints: ['v1:a', 'v1:b'] },
    ]);
  });
});

describe('refusals', () => {
  it.each([
    [
      'an unknown group',
      '{ reopenCrashGroup(input: { id: "Q3Jhc2hHcm91cDo5OTk=" }) { crashGroup { id } } }',
      'NOT_FOUND',
      'crash group',
    ],
    [
      'an id of another type',
      '{ ignoreCrashGroup(input: { id: "RGV2aWNlOjE=" }) { crashGroup { id } } }',
      'NOT_FOUND',
      'crash group',
    ],
    [
      'a fingerprint of another group',
      '{ splitCrashGroup(input: { id: "GROUP", fingerprints: ["v1:x"] }) { crashGroup { id } } }',
      'BAD_USER_INPUT',
      'v1:x',
    ],
    [
      'the last fingerprint',
      '{ splitCrashGroup(input: { id: "GROUP", fingerprints: ["v1:sensor_read"] }) { crashGroup { id } } }',
      'BAD_USER_INPUT',
      'at least one',
    ],
    [
      'a merge with itself',
      '{ mergeCrashGroups(input: { intoId: "GROUP", ids: ["GROUP"] }) { crashGroup { id } } }',
      'BAD_USER_INPUT',
      'another|other',
    ],
    [
      'a merge with nobody we know',
      '{ mergeCrashGroups(input: { intoId: "GROUP", ids: ["Q3Jhc2hHcm91cDo5OTk="] }) { crashGroup { id } } }',
      'NOT_FOUND',
      '999',
    ],
    [
      'an empty version',
      '{ resolveCrashGroup(input: { id: "GROUP", inVersion: " " }) { crashGroup { id } } }',
      'BAD_USER_INPUT',
      'version',
    ],
    [
      'an empty assignee',
      '{ assignCrashGroup(input: { id: "GROUP", assignee: "" }) { crashGroup { id } } }',
      'BAD_USER_INPUT',
      'assignee',
    ],
  ])('name what is wrong: %s', async (_, mutation, code, text) => {
    const endpoint = await aGraphQLEndpoint();
    const { groupId } = await aCrash(endpoint, await aDevice(endpoint));

    const { errors } = await endpoint.send(`mutation ${mutation.replaceAll('GROUP', groupId)}`);

    expect(errors[0]).toMatchObject({ extensions: { code }, message: expect.stringMatching(text) });
  });
});
