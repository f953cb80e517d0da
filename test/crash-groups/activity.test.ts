import { describe, expect, it } from 'vitest';
import type { Person } from '../../src/auth/principal.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const ACTIVITY = graphql(`
  query Activity($id: ID!, $first: Int, $after: String) {
    crashGroup(id: $id) {
      activity(first: $first, after: $after) {
        totalCount nodes { kind actor text editedAt isOwn } pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
const LINK = graphql(`
  mutation LinkTicketOf($id: ID!, $ticketUrl: String) {
    linkCrashGroupTicket(input: { id: $id, ticketUrl: $ticketUrl }) { crashGroup { ticketUrl } }
  }
`);
const PEOPLE = graphql(`query PeopleToAssign($search: String) { assigneeSuggestions(search: $search) }`);

const ada: Person = { kind: 'viewer', name: 'ada', via: 'issuer', until: null };
const bob: Person = { kind: 'viewer', name: 'bob', via: 'issuer', until: null };
const admin: Person = { kind: 'admin', name: 'root', via: 'token', until: null };

async function groups(count: number): Promise<{ endpoint: GraphQLEndpoint; ids: string[] }> {
  const endpoint = await aGraphQLEndpoint();
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const ids: string[] = [];
  for (let index = 0; index < count; index++)
    ids.push((await aCrash(endpoint, device, { place: `place${index}` })).groupId);
  return { endpoint, ids };
}

async function activityOf(endpoint: GraphQLEndpoint, id: string) {
  const { crashGroup } = await endpoint.ask(ACTIVITY, { id });
  return crashGroup?.activity.nodes.map(({ kind, text }) => [kind, text]);
}

describe('the activity of a group', () => {
  it('has what people set, newest first and a page at a time, and nothing that stayed the same', async () => {
    const { endpoint, ids } = await groups(1);
    const [id = ''] = ids;
    const { crashGroups } = endpoint;
    await crashGroups.resolve(1, '1.3.0');
    await crashGroups.reopen(1);
    await crashGroups.reopen(1);
    await crashGroups.ignore(1);
    await crashGroups.assign(1, 'ada');
    await crashGroups.assign(1, 'ada');
    await crashGroups.assign(1, null);
    await crashGroups.note(1, 'a missing null check');
    await endpoint.ask(LINK, { id, ticketUrl: 'https://tickets.example/7' });

    expect(await activityOf(endpoint, id)).toEqual([
      ['TICKET', 'https://tickets.example/7'],
      ['NOTED', 'a missing null check'],
      ['UNASSIGNED', null],
      ['ASSIGNED', 'ada'],
      ['IGNORED', null],
      ['REOPENED', null],
      ['RESOLVED', '1.3.0'],
    ]);
    const first = (await endpoint.ask(ACTIVITY, { id, first: 6 })).crashGroup?.activity;
    expect(first).toMatchObject({ totalCount: 7, pageInfo: { hasNextPage: true } });
    const after = first?.pageInfo.endCursor ?? null;
    const rest = (await endpoint.ask(ACTIVITY, { id, first: 6, after })).crashGroup?.activity;
    expect(rest?.nodes.map(({ kind }) => kind)).toEqual(['RESOLVED']);
  });

  it('says that it crashed again, by nobody', async () => {
    const { endpoint, ids } = await groups(1);
    await endpoint.crashGroups.resolve(1, '1.1.0');
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());

    await aCrash(endpoint, device, { place: 'place0', version: '1.1.0', at: new Date(Date.now() + 60_000) });

    const { crashGroup } = await endpoint.ask(ACTIVITY, { id: ids[0] ?? '' });
    expect(crashGroup?.activity.nodes[0]).toMatchObject({ kind: 'REGRESSED', actor: null, text: '1.1.0' });
  });

  it('goes along with a merge, and comes back with a split, through two merges', async () => {
    const { endpoint, ids } = await groups(3);
    const [one = '', two = '', three = ''] = ids;
    const { comments, merge, split } = endpoint.crashGroups;
    await comments.add(3, 'of three', ada);
    await comments.add(2, 'of two', ada);
    await merge(2, [3]);
    await merge(1, [2]);
    expect((await activityOf(endpoint, one))?.map(([kind]) => kind)).toEqual([
      'MERGED',
      'MERGED',
      'COMMENT',
      'COMMENT',
    ]);

    await split(1, ['v1:place1', 'v1:place2']);
    const texts = async (id: string) =>
      (await activityOf(endpoint, id))?.flatMap(([kind, text]) => (kind === 'COMMENT' ? [text] : []));
    expect(await texts(one)).toEqual([]);
    expect(await texts(two)).toEqual(['of two', 'of three']);
    await split(2, ['v1:place2']);

    expect(await texts(two)).toEqual(['of two']);
    expect(await texts(three)).toEqual(['of three']);
  });

  it('refuses tickets that are no https address', async () => {
    const { endpoint, ids } = await groups(1);
    for (const ticketUrl of [
      'http://a.example',
      'javascript:alert(1)',
      'https://',
      'https://me:pw@a.example',
    ])
      await expect(endpoint.ask(LINK, { id: ids[0] ?? '', ticketUrl })).rejects.toThrow('https://');
  });
});

describe('a comment', () => {
  it('is changed by its author only, and deleted by an admin, too', async () => {
    const { endpoint, ids } = await groups(1);
    const { comments } = endpoint.crashGroups;
    const { comment } = await comments.add(1, ' first line\r\nsecond line ', ada);
    const sameName: Person = { ...ada, via: 'token' };
    const chosenName: Person = { ...ada, subject: 'somebody else' };

    for (const other of [bob, admin, sameName, chosenName])
      await expect(comments.edit(comment.id, 'mine', other)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    for (const other of [bob, sameName, chosenName])
      await expect(comments.delete(comment.id, other)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await activityOf(endpoint, ids[0] ?? '')).toEqual([['COMMENT', 'first line\nsecond line']]);
    await comments.edit(comment.id, 'changed', ada);
    expect((await endpoint.ask(ACTIVITY, { id: ids[0] ?? '' })).crashGroup?.activity.nodes).toMatchObject([
      { text: 'changed', actor: 'ada', editedAt: expect.any(String), isOwn: false },
    ]);
    await comments.delete(comment.id, admin);

    expect(await activityOf(endpoint, ids[0] ?? '')).toEqual([]);
    await expect(comments.edit(comment.id, 'again', ada)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const audited = await endpoint.db.auditEvent.findMany({ orderBy: { id: 'asc' } });
    expect(audited.map(({ action, detail }) => [action, detail])).toEqual([
      ['addGroupComment', null],
      ['editGroupComment', null],
      ['deleteGroupComment', 'the comment of ada'],
    ]);
  });

  it('has 1 to 4,000 characters', async () => {
    const { endpoint } = await groups(1);
    for (const text of [' \n ', 'x'.repeat(4_001)])
      await expect(endpoint.crashGroups.comments.add(1, text, ada)).rejects.toMatchObject({ field: 'text' });
    await endpoint.crashGroups.comments.add(1, 'x'.repeat(4_000), ada);
  });
});

describe('a bulk change', () => {
  it('is undone, but not in groups that somebody changed meanwhile, which are named', async () => {
    const { endpoint, ids } = await groups(4);
    const { crashGroups } = endpoint;
    await crashGroups.ignore(2, { version: '2.0.0' });
    await crashGroups.assign(2, 'ada');
    const { groups: changed, undo } = await crashGroups.changeMany([1, 2, 3, 4], {
      state: 'RESOLVED',
      resolvedInVersion: '1.3.0',
      assignee: 'bob',
    });
    expect(changed.map(({ state, assignee }) => [state, assignee])).toEqual(
      Array.from({ length: 4 }, () => ['RESOLVED', 'bob']),
    );
    await crashGroups.reopen(3);
    await crashGroups.comments.add(1, 'no change', ada);
    await crashGroups.merge(1, [4]);

    const { groups: restored, refused } = await crashGroups.restore(undo);

    expect(restored).toMatchObject([
      { id: 1, state: 'OPEN', resolvedAt: null, assignee: null },
      { id: 2, state: 'IGNORED', ignoredUntilVersion: '2.0.0', assignee: 'ada' },
    ]);
    expect(refused).toEqual([
      { groupId: 3, title: expect.stringContaining('place2'), reason: 'The server changed it meanwhile.' },
      { groupId: 4, title: null, reason: `It was merged into the crash group "${ids[0]}".` },
    ]);
    expect((await crashGroups.restore(undo)).groups).toEqual([]);
    await expect(crashGroups.restore(['nonsense'])).rejects.toMatchObject({ field: 'groups' });
  });

  it('does not get in the way of another one, nor of crashes', async () => {
    const { endpoint, ids } = await groups(6);
    const beside = endpoint.databaseUrl.startsWith('postgresql')
      ? await aGraphQLEndpoint({ beside: endpoint })
      : endpoint;
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const numbers = ids.map((_, index) => index + 1);

    await Promise.all([
      endpoint.crashGroups.changeMany(numbers, { state: 'IGNORED' }),
      beside.crashGroups.changeMany([...numbers].reverse(), { assignee: 'ada' }),
      endpoint.crashGroups.changeMany([...numbers].reverse(), { state: 'IGNORED' }),
      beside.crashGroups.changeMany(numbers, { assignee: 'ada' }),
      ...numbers.map((_, index) => aCrash(endpoint, device, { place: `place${index}` })),
    ]);

    const rows = await endpoint.db.crashGroup.findMany();
    expect(new Set(rows.map(({ state, assignee, count }) => `${state} ${assignee} ${count}`))).toEqual(
      new Set(['IGNORED ada 2']),
    );
  });
});

describe('people to assign a group to', () => {
  it('are who is known: assignees, who said something, and who did anything, but no devices', async () => {
    const { endpoint } = await groups(1);
    await endpoint.crashGroups.assign(1, 'Grace Hopper');
    await endpoint.crashGroups.comments.add(1, 'seen', ada);
    const event = { at: new Date(), action: 'createDevice', role: 'admin' };
    await endpoint.db.auditEvent.createMany({
      data: [
        { ...event, actor: 'carol', via: 'issuer' },
        { ...event, actor: 'ingest key line 1', via: 'ingest_key', role: 'device' },
      ],
    });

    expect((await endpoint.ask(PEOPLE, {})).assigneeSuggestions).toEqual(['Grace Hopper', 'ada', 'carol']);
    expect((await endpoint.ask(PEOPLE, { search: 'HOP gr' })).assigneeSuggestions).toEqual(['Grace Hopper']);
    expect((await endpoint.ask(PEOPLE, { search: encodeGlobalId('x', 1) })).assigneeSuggestions).toEqual([]);
  });
});
