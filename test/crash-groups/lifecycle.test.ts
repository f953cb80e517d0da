import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLDoor, type GraphQLDoor } from '../support/graphql-server.js';

const RESOLVE = graphql(`
  mutation Resolve($id: ID!, $inVersion: String) {
    resolveCrashGroup(id: $id, inVersion: $inVersion) { state resolvedAt resolvedInVersion }
  }
`);
const STATE = graphql(`
  query GroupState($id: ID!) {
    crashGroup(id: $id) { state isRegression regressedInVersion resolvedInVersion count }
  }
`);
const TRIAGE = graphql(`
  mutation Triage($id: ID!) {
    assignCrashGroup(id: $id, assignee: "ada") { id }
    noteCrashGroup(id: $id, note: "a missing null check") { id }
    ignoreCrashGroup(id: $id) { state assignee note }
  }
`);
const REOPEN = graphql(`mutation Reopen($id: ID!) { reopenCrashGroup(id: $id) { state isRegression } }`);
const MERGE = graphql(`
  mutation Merge($into: ID!, $ids: [ID!]!) {
    mergeCrashGroups(into: $into, ids: $ids) { id title count deviceCount keptCount fingerprints velocity }
  }
`);
const SPLIT = graphql(`
  mutation Split($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(id: $id, fingerprints: $fingerprints) { id title count deviceCount keptCount fingerprints state }
  }
`);
const ALL = graphql(
  `query AllGroups { crashGroups { nodes { id count deviceCount keptCount fingerprints } } }`,
);

const aDevice = async (door: GraphQLDoor) => door.fleet.aDevice(await door.fleet.aModel());
const stateOf = async (door: GraphQLDoor, id: string) => (await door.ask(STATE, { id })).crashGroup;

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
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId: id } = await aCrash(door, device, { version: 'main' });
    await door.ask(RESOLVE, { id, inVersion });

    await aCrash(door, device, { version, at: new Date(Date.now() + 1000) });

    expect(await stateOf(door, id)).toMatchObject({
      state: isRegression ? 'OPEN' : 'RESOLVED',
      isRegression,
      regressedInVersion: isRegression ? version : null,
      count: 2,
    });
  });

  it('stays resolved for a crash that came before that', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId: id } = await aCrash(door, device);
    await door.ask(RESOLVE, { id, inVersion: '1.0.0' });

    await aCrash(door, device, { version: '2.0.0', at: new Date(Date.now() - 60_000) });

    expect(await stateOf(door, id)).toMatchObject({ state: 'RESOLVED', isRegression: false });
  });

  it('is no regression any more when a person has looked at it', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId: id } = await aCrash(door, device);
    await door.ask(RESOLVE, { id, inVersion: null });
    await aCrash(door, device, { version: '2.0.0', at: new Date(Date.now() + 1000) });

    expect((await door.ask(REOPEN, { id })).reopenCrashGroup).toEqual({ state: 'OPEN', isRegression: false });
  });
});

it('an ignored group goes on being counted and stays ignored', async () => {
  const door = await aGraphQLDoor();
  const device = await aDevice(door);
  const { groupId: id } = await aCrash(door, device);

  const { ignoreCrashGroup } = await door.ask(TRIAGE, { id });
  await aCrash(door, device, { version: '9.0.0' });

  expect(ignoreCrashGroup).toEqual({ state: 'IGNORED', assignee: 'ada', note: 'a missing null check' });
  expect(await stateOf(door, id)).toMatchObject({ state: 'IGNORED', count: 2 });
});

describe('merging', () => {
  it('adds up what was counted, for good, and splitting takes it out again', async () => {
    const door = await aGraphQLDoor();
    const [first, second] = [await aDevice(door), await aDevice(door)];
    const { groupId: into } = await aCrash(door, first, { place: 'a' });
    const { groupId: other } = await aCrash(door, first, { place: 'b' });
    const { dump } = await aCrash(door, second, { place: 'b' });

    const { mergeCrashGroups: merged } = await door.ask(MERGE, { into, ids: [other] });
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
    expect(await stateOf(door, other)).toBeNull();

    // Retention must not make the two inseparable.
    await door.coredumps.delete(dump.id);
    expect((await aCrash(door, second, { place: 'b' })).groupId).toBe(into);

    const { splitCrashGroup: split } = await door.ask(SPLIT, { id: into, fingerprints: ['v1:b'] });
    expect(split).toMatchObject({
      title: 'LoadProhibited in b (b.c)',
      count: 3,
      deviceCount: 2,
      keptCount: 2,
      fingerprints: ['v1:b'],
      state: 'OPEN',
    });
    const groups = (await door.ask(ALL, {})).crashGroups.nodes;
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
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId: into } = await aCrash(door, device, { place: 'a' });
    const { groupId: other } = await aCrash(door, device, { place: 'b' });

    const crashes = Array.from({ length: 20 }, (_, index) =>
      aCrash(door, device, { place: index % 2 === 0 ? 'a' : 'b' }),
    );
    await Promise.all([...crashes, door.ask(MERGE, { into, ids: [other] })]);

    expect((await door.ask(ALL, {})).crashGroups.nodes).toEqual([
      { id: into, count: 22, deviceCount: 1, keptCount: 22, fingerprints: ['v1:a', 'v1:b'] },
    ]);
  });
});

describe('refusals', () => {
  it.each([
    [
      'an unknown group',
      '{ reopenCrashGroup(id: "Q3Jhc2hHcm91cDo5OTk=") { id } }',
      'NOT_FOUND',
      'crash group',
    ],
    ['an id of another type', '{ ignoreCrashGroup(id: "RGV2aWNlOjE=") { id } }', 'NOT_FOUND', 'crash group'],
    [
      'a fingerprint of another group',
      '{ splitCrashGroup(id: "GROUP", fingerprints: ["v1:x"]) { id } }',
      'BAD_USER_INPUT',
      'v1:x',
    ],
    [
      'the last fingerprint',
      '{ splitCrashGroup(id: "GROUP", fingerprints: ["v1:sensor_read"]) { id } }',
      'BAD_USER_INPUT',
      'at least one',
    ],
    [
      'a merge with itself',
      '{ mergeCrashGroups(into: "GROUP", ids: ["GROUP"]) { id } }',
      'BAD_USER_INPUT',
      'another|other',
    ],
    [
      'a merge with nobody we know',
      '{ mergeCrashGroups(into: "GROUP", ids: ["Q3Jhc2hHcm91cDo5OTk="]) { id } }',
      'NOT_FOUND',
      '999',
    ],
    [
      'an empty version',
      '{ resolveCrashGroup(id: "GROUP", inVersion: " ") { id } }',
      'BAD_USER_INPUT',
      'version',
    ],
    [
      'an empty assignee',
      '{ assignCrashGroup(id: "GROUP", assignee: "") { id } }',
      'BAD_USER_INPUT',
      'assignee',
    ],
  ])('name what is wrong: %s', async (_, mutation, code, text) => {
    const door = await aGraphQLDoor();
    const { groupId } = await aCrash(door, await aDevice(door));

    const { errors } = await door.send(`mutation ${mutation.replaceAll('GROUP', groupId)}`);

    expect(errors[0]).toMatchObject({ extensions: { code }, message: expect.stringMatching(text) });
  });
});
