import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '../../src/global-ids.js';
import { graphql } from '../generated/gql.js';
import { aCrash, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

const BY_ID = graphql(`
  query GroupByOldId($id: ID!) {
    crashGroup(id: $id) { id mergedIds }
    node(id: $id) { id }
    crashGroups(filter: { id: [$id] }) { totalCount nodes { id } }
  }
`);
const TAKE_IN = graphql(`
  mutation TakeIn($intoId: ID!, $ids: [ID!]!) {
    mergeCrashGroups(input: { intoId: $intoId, ids: $ids }) { crashGroup { id mergedIds } mergedCrashGroupIds }
  }
`);
const TAKE_OUT = graphql(`
  mutation TakeOut($id: ID!, $fingerprints: [String!]!) {
    splitCrashGroup(input: { id: $id, fingerprints: $fingerprints }) {
      crashGroup { id title state resolvedInVersion assignee note count fingerprints mergedIds }
      fromCrashGroup { id title count fingerprints mergedIds }
    }
  }
`);
const WATCH = graphql(`
  mutation WatchOldGroup($id: ID!) {
    createAlertRule(input: { name: "old", url: "http://127.0.0.1:9/", format: GENERIC, crashGroupId: $id }) {
      alertRule { crashGroup { id } }
    }
  }
`);
const NOTE_OLD = graphql(`
  mutation NoteOldGroup($id: ID!) { noteCrashGroup(input: { id: $id, note: "by its old id" }) { crashGroup { id note } } }
`);

/** A group for each place, with one crash of one device each. */
async function groupsAt(endpoint: GraphQLEndpoint, places: readonly string[]) {
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const ids: Record<string, string> = {};
  const dumps: Record<string, { id: number }> = {};
  for (const place of places) {
    const { groupId, dump } = await aCrash(endpoint, device, { place });
    ids[place] = groupId;
    dumps[place] = dump;
  }
  const id = (place: string) => ids[place] ?? '';
  const answerer = async (place: string) => (await endpoint.ask(BY_ID, { id: id(place) })).crashGroup?.id;
  const merge = (into: string, ...others: string[]) =>
    endpoint.ask(TAKE_IN, { intoId: id(into), ids: others.map(id) });
  const split = async (from: string, ...taken: string[]) =>
    (await endpoint.ask(TAKE_OUT, { id: from, fingerprints: taken.map((place) => `v1:${place}`) }))
      .splitCrashGroup;
  return { device, dumps, id, answerer, merge, split };
}

describe('the id of a merged group', () => {
  it('answers with the group that took it in, wherever an id is asked for', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge, device } = await groupsAt(endpoint, ['a', 'b', 'c']);

    const { mergeCrashGroups } = await merge('b', 'a');
    await merge('c', 'b');

    expect(mergeCrashGroups).toEqual({
      crashGroup: { id: id('b'), mergedIds: [id('a')] },
      mergedCrashGroupIds: [id('a')],
    });
    for (const old of ['a', 'b']) {
      expect(await endpoint.ask(BY_ID, { id: id(old) })).toEqual({
        crashGroup: { id: id('c'), mergedIds: [id('a'), id('b')] },
        node: { id: id('c') },
        crashGroups: { totalCount: 1, nodes: [{ id: id('c') }] },
      });
    }
    const { createAlertRule } = await endpoint.ask(WATCH, { id: id('a') });
    expect(createAlertRule.alertRule.crashGroup).toEqual({ id: id('c') });
    const { noteCrashGroup } = await endpoint.ask(NOTE_OLD, { id: id('a') });
    expect(noteCrashGroup.crashGroup).toEqual({ id: id('c'), note: 'by its old id' });
    expect((await aCrash(endpoint, device, { place: 'a' })).groupId).toBe(id('c'));
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('does not answer for a group that nobody has heard of', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { merge } = await groupsAt(endpoint, ['a', 'b']);
    await merge('a', 'b');

    const nobody = await endpoint.ask(BY_ID, { id: encodeGlobalId('CrashGroup', 999) });
    expect(nobody).toEqual({ crashGroup: null, node: null, crashGroups: { totalCount: 0, nodes: [] } });
  });

  it('is not merged a second time, into what the person did not see', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge } = await groupsAt(endpoint, ['a', 'b', 'c']);
    await merge('b', 'a');

    const again = await endpoint.send(
      `mutation { mergeCrashGroups(input: { intoId: "${id('c')}", ids: ["${id('a')}"] }) { mergedCrashGroupIds } }`,
    );

    expect(again.errors[0]).toMatchObject({
      message: expect.stringContaining('was merged into'),
      extensions: { code: 'CONFLICT' },
    });
  });

  it.each([
    ['once all its crashes have moved to one other group', ['right', 'right'], 'right'],
    ['but not when they have moved to several', ['right', 'other'], undefined],
    ['but not when one of them has moved nowhere', [null, 'right'], undefined],
  ])('answers for a misreading, %s', async (_, places, expected) => {
    const endpoint = await aGraphQLEndpoint();
    const { id, answerer, device, dumps } = await groupsAt(endpoint, ['wrong', 'right', 'other']);
    const { dump } = await aCrash(endpoint, device, { place: 'wrong' });

    for (const [index, wrong] of [dumps.wrong ?? dump, dump].entries()) {
      const place = places[index];
      await endpoint.state.reset({ id: wrong.id });
      await parsed(endpoint, wrong, { crash: place == null ? { hasReport: false } : { place } });
    }

    expect(await answerer('wrong')).toBe(expected === undefined ? undefined : id(expected));
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });
});

describe('a split', () => {
  it('gives a merged group back as people left it', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge, split } = await groupsAt(endpoint, ['a', 'b']);
    const old = 2;
    await endpoint.crashGroups.resolve(old, '1.3.0');
    await endpoint.crashGroups.assign(old, 'ada');
    await endpoint.crashGroups.note(old, 'a missing null check');
    await merge('a', 'b');

    expect(await split(id('a'), 'b')).toEqual({
      crashGroup: {
        ...{ id: id('b'), title: 'LoadProhibited in b (b.c)', state: 'RESOLVED', resolvedInVersion: '1.3.0' },
        ...{ assignee: 'ada', note: 'a missing null check', count: 1, fingerprints: ['v1:b'], mergedIds: [] },
      },
      fromCrashGroup: {
        id: id('a'),
        title: 'LoadProhibited in a (a.c)',
        count: 1,
        fingerprints: ['v1:a'],
        mergedIds: [],
      },
    });
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('leaves a group with the name of what is in it', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge, split } = await groupsAt(endpoint, ['a', 'b']);
    await merge('a', 'b');

    const { crashGroup, fromCrashGroup } = await split(id('a'), 'a');

    expect([crashGroup.title, fromCrashGroup.title]).toEqual([
      'LoadProhibited in a (a.c)',
      'LoadProhibited in b (b.c)',
    ]);
  });

  it('gives each group of a chain back, the inner one and the outer one', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge, split, answerer } = await groupsAt(endpoint, ['inner', 'outer', 'all']);
    await merge('outer', 'inner');
    await merge('all', 'outer');

    // What came from both of them was one group, the outer one, which had taken in the inner one.
    const outer = await split(id('all'), 'inner', 'outer');
    expect(outer.crashGroup).toMatchObject({ id: id('outer'), mergedIds: [id('inner')] });
    expect(await answerer('inner')).toBe(id('outer'));

    expect((await split(id('outer'), 'inner')).crashGroup.id).toBe(id('inner'));
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('gives the inner group back first, and the outer one without it', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge, split, answerer } = await groupsAt(endpoint, ['inner', 'outer', 'all']);
    await merge('outer', 'inner');
    await merge('all', 'outer');

    expect((await split(id('all'), 'inner')).crashGroup.id).toBe(id('inner'));
    expect(await answerer('outer')).toBe(id('all'));
    expect((await split(id('all'), 'outer')).crashGroup.id).toBe(id('outer'));
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('makes a new group of fingerprints from several groups, and their ids follow', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge, split, answerer } = await groupsAt(endpoint, ['a', 'b', 'all']);
    await merge('all', 'a', 'b');

    const { crashGroup } = await split(id('all'), 'a', 'b');

    expect([id('a'), id('b'), id('all')]).not.toContain(crashGroup.id);
    expect(crashGroup).toMatchObject({ state: 'OPEN', mergedIds: [id('a'), id('b')] });
    expect(await answerer('a')).toBe(crashGroup.id);
    expect((await split(crashGroup.id, 'a')).crashGroup.id).toBe(id('a'));
    expect(await answerer('b')).toBe(crashGroup.id);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('takes the id of a merged group for the group that took it in', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { id, merge, split } = await groupsAt(endpoint, ['a', 'b', 'c']);
    await merge('a', 'b', 'c');

    const { crashGroup, fromCrashGroup } = await split(id('b'), 'c');

    expect([crashGroup.id, fromCrashGroup.id]).toEqual([id('c'), id('a')]);
  });
});
