import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const UPDATE = graphql(`
  mutation UpdateMany($input: UpdateCrashGroupsInput!) {
    updateCrashGroups(input: $input) { crashGroups { id state resolvedInVersion assignee note } }
  }
`);
const HISTORY = graphql(`
  query History($id: ID!, $first: Int, $after: String) {
    crashGroup(id: $id) {
      history(first: $first, after: $after) {
        totalCount nodes { at actor action detail } pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
const UPDATED = graphql(`query UpdatedAt($id: ID!) { crashGroup(id: $id) { updatedAt lastSeenAt } }`);
const UNKNOWN = encodeGlobalId('CrashGroup', 999);

async function groups(endpoint: GraphQLEndpoint, count: number): Promise<string[]> {
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    ids.push((await aCrash(endpoint, device, { place: `place${index}` })).groupId);
  }
  return ids;
}

async function historyOf(endpoint: GraphQLEndpoint, id: string) {
  const { crashGroup } = await endpoint.ask(HISTORY, { id });
  return crashGroup?.history.nodes.map(({ action, detail }) => [action, detail]);
}

describe('a bulk change of groups', () => {
  it('sets the same in all of them, and tells followers of each', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [one = '', two = '', three = ''] = await groups(endpoint, 3);
    const followed = endpoint.crashGroups.follow({});

    const { updateCrashGroups } = await endpoint.ask(UPDATE, {
      input: { ids: [two, one, two], state: 'RESOLVED', resolvedInVersion: '1.3.0', assignee: 'ada' },
    });

    const settled = { state: 'RESOLVED', resolvedInVersion: '1.3.0', assignee: 'ada', note: null };
    expect(updateCrashGroups.crashGroups).toEqual([
      { id: two, ...settled },
      { id: one, ...settled },
    ]);
    expect([(await followed.next()).value, (await followed.next()).value]).toMatchObject([
      { id: 2, assignee: 'ada' },
      { id: 1, assignee: 'ada' },
    ]);
    expect(await historyOf(endpoint, one)).toEqual([
      ['ASSIGNED', 'to ada'],
      ['RESOLVED', 'in 1.3.0'],
    ]);
    expect(await historyOf(endpoint, three)).toEqual([]);
  });

  it('tells nobody from a field that was left out', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [id = ''] = await groups(endpoint, 1);
    await endpoint.ask(UPDATE, { input: { ids: [id], assignee: 'ada', note: 'look here' } });

    const { updateCrashGroups: kept } = await endpoint.ask(UPDATE, {
      input: { ids: [id], state: 'IGNORED' },
    });
    expect(kept.crashGroups).toMatchObject([{ state: 'IGNORED', assignee: 'ada', note: 'look here' }]);

    const { updateCrashGroups: gone } = await endpoint.ask(UPDATE, {
      input: { ids: [id], assignee: null, note: null },
    });
    expect(gone.crashGroups).toMatchObject([{ state: 'IGNORED', assignee: null, note: null }]);
  });

  it.each([
    ['an unknown group', { ids: ['ONE', UNKNOWN], state: 'IGNORED' as const }, 'NOT_FOUND', UNKNOWN],
    ['no group', { ids: [], state: 'IGNORED' as const }, 'BAD_USER_INPUT', 'at least one group'],
    ['too many', { ids: Array.from({ length: 101 }, () => 'ONE'), assignee: 'ada' }, 'BAD_USER_INPUT', '100'],
    ['nothing to do', { ids: ['ONE'] }, 'BAD_USER_INPUT', 'Nothing would change'],
    ['a version without RESOLVED', { ids: ['ONE'], resolvedInVersion: '1' }, 'BAD_USER_INPUT', 'Nothing'],
    [
      'a version with another state',
      { ids: ['ONE'], state: 'OPEN' as const, resolvedInVersion: '1' },
      'BAD_USER_INPUT',
      'RESOLVED',
    ],
    ['an empty assignee', { ids: ['ONE'], assignee: ' ' }, 'BAD_USER_INPUT', 'assignee'],
  ])('changes nothing, and says why: %s', async (_, input, code, text) => {
    const endpoint = await aGraphQLEndpoint();
    const [one = ''] = await groups(endpoint, 1);
    const before = await endpoint.db.crashGroup.findMany();

    const { errors } = await endpoint.send(
      'mutation ($input: UpdateCrashGroupsInput!) { updateCrashGroups(input: $input) { crashGroups { id } } }',
      { input: { ...input, ids: input.ids.map((id) => (id === 'ONE' ? one : id)) } },
    );

    expect(errors[0]).toMatchObject({ extensions: { code }, message: expect.stringContaining(text) });
    expect(await endpoint.db.crashGroup.findMany()).toEqual(before);
    expect(await endpoint.db.auditEvent.count()).toBe(0);
  });
});

describe('the history of a group', () => {
  it('tells what people did, to whom and in which version, newest first and a page at a time', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [id = ''] = await groups(endpoint, 1);
    await endpoint.crashGroups.resolve(1, '1.3.0');
    await endpoint.crashGroups.resolve(1, null);
    await endpoint.crashGroups.reopen(1);
    await endpoint.crashGroups.ignore(1);
    await endpoint.crashGroups.assign(1, 'ada');
    await endpoint.crashGroups.assign(1, null);
    await endpoint.crashGroups.note(1, 'a missing null check');
    await endpoint.crashGroups.note(1, ' ');

    expect(await historyOf(endpoint, id)).toEqual([
      ['NOTED', 'removed'],
      ['NOTED', 'a missing null check'],
      ['ASSIGNED', 'to nobody'],
      ['ASSIGNED', 'to ada'],
      ['IGNORED', null],
      ['REOPENED', null],
      ['RESOLVED', 'in the next version'],
      ['RESOLVED', 'in 1.3.0'],
    ]);
    const first = (await endpoint.ask(HISTORY, { id, first: 2 })).crashGroup?.history;
    expect(first).toMatchObject({ totalCount: 8, pageInfo: { hasNextPage: true } });
    const after = first?.pageInfo.endCursor ?? null;
    const second = (await endpoint.ask(HISTORY, { id, first: 6, after })).crashGroup?.history;
    expect(second?.nodes[0]).toMatchObject({ action: 'ASSIGNED', detail: 'to nobody' });
    expect(second?.pageInfo.hasNextPage).toBe(false);
  });

  it('has that of merged groups too, until they are split off again', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [one = '', two = ''] = await groups(endpoint, 2);
    await endpoint.crashGroups.assign(2, 'ada');
    await endpoint.crashGroups.merge(1, [2]);

    const merged = [
      ['MERGED', 'with groups 2'],
      ['ASSIGNED', 'to ada'],
    ];
    expect(await historyOf(endpoint, one)).toEqual(merged);
    expect(await historyOf(endpoint, two)).toEqual(merged);

    await endpoint.crashGroups.split(1, ['v1:place1']);
    expect(await historyOf(endpoint, two)).toEqual([
      ['SPLIT', 'from group 1, LoadProhibited in place0 (place0.c)'],
      ['ASSIGNED', 'to ada'],
    ]);
    expect((await historyOf(endpoint, one))?.map(([action]) => action)).toEqual(['SPLIT', 'MERGED']);
  });

  it('shows events of earlier releases, and of later ones', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [id = ''] = await groups(endpoint, 1);
    await endpoint.crashGroups.assign(1, 'ada');
    await endpoint.db.$executeRaw`UPDATE "AuditEvent" SET "detail" = NULL`;
    await endpoint.crashGroups.assign(1, 'ada');
    await endpoint.db
      .$executeRaw`UPDATE "AuditEvent" SET "action" = 'paintCrashGroup', "detail" = 'red' WHERE "id" = 2`;

    expect(await historyOf(endpoint, id)).toEqual([
      ['CHANGED', 'red'],
      ['ASSIGNED', null],
    ]);
  });
});

it('a group says when it was changed last, by a crash or by a person', async () => {
  const times = { now: new Date('2026-03-01T00:00:00Z') };
  const clock = { now: () => times.now, uniqueMicros: () => BigInt(times.now.getTime()) * 1000n };
  const endpoint = await aGraphQLEndpoint({ clock });
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const at = new Date('2026-02-01T00:00:00Z');
  const crash = () => aCrash(endpoint, device, { at });
  const { groupId: id } = await crash();
  const updatedAt = async () => (await endpoint.ask(UPDATED, { id })).crashGroup?.updatedAt;

  expect((await endpoint.ask(UPDATED, { id })).crashGroup).toEqual({
    updatedAt: '2026-03-01T00:00:00.000Z',
    lastSeenAt: '2026-02-01T00:00:00.000Z',
  });
  times.now = new Date('2026-03-02T00:00:00Z');
  await crash();
  expect(await updatedAt()).toBe('2026-03-02T00:00:00.000Z');
  times.now = new Date('2026-03-03T00:00:00Z');
  await endpoint.crashGroups.note(1, 'seen');
  expect(await updatedAt()).toBe('2026-03-03T00:00:00.000Z');
  times.now = new Date('2026-03-04T00:00:00Z');
  const { groupId } = await aCrash(endpoint, device, { at, place: 'other' });
  await endpoint.crashGroups.merge(1, [Number(Buffer.from(groupId, 'base64').toString().split(':')[1])]);
  expect(await updatedAt()).toBe('2026-03-04T00:00:00.000Z');
});
