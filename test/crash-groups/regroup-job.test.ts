import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { FingerprintRecipe } from '../../src/crash-groups/regroup-dump.js';
import { createRegroupJob } from '../../src/crash-groups/regroup-job.js';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLDoor, type GraphQLDoor } from '../support/graphql-server.js';

const GROUPS = graphql(`
  query RegroupedGroups { crashGroups(sort: RECENCY) { nodes { id count keptCount deviceCount note fingerprints } } }
`);
const NOTE = graphql(`mutation NoteGroup($id: ID!) { noteCrashGroup(id: $id, note: "known") { id } }`);
const PROGRESS = graphql(`mutation Again { regroupCrashes { fingerprintVersion total done finishedAt } }`);

const aDevice = async (door: GraphQLDoor) => door.fleet.aDevice(await door.fleet.aModel());
const groupsOf = async (door: GraphQLDoor) => (await door.ask(GROUPS, {})).crashGroups.nodes;

/** By the function's name, as `rename` has it. */
function aRecipe(rename: (name: string) => string): FingerprintRecipe {
  return {
    version: 'v2',
    of: ({ tasks }) => `v2:${rename(tasks[0]?.frames[1]?.function ?? '')}`,
  };
}

async function regroup(door: GraphQLDoor, recipe: FingerprintRecipe) {
  const log = pino({ level: 'silent' });
  const { db, groupAlerts: alerts } = door;
  const database = { db, now: async () => new Date() };
  const job = createRegroupJob({ database, owner: 'test', now: () => new Date(), log, alerts, recipe });
  job.start();
  await job.idle();
  const progress = await job.progress();
  await job.close();
  return progress;
}

describe('regrouping', () => {
  it('carries a group over to its new fingerprint, with its note and its history', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { dump, groupId } = await aCrash(door, device, { place: 'a' });
    await aCrash(door, device, { place: 'a' });
    await door.ask(NOTE, { id: groupId });
    await door.coredumps.delete(dump.id);

    const progress = await regroup(
      door,
      aRecipe((name) => name),
    );

    expect(progress).toMatchObject({ fingerprintVersion: 'v2', total: 1, done: 1 });
    expect(progress?.finishedAt).toBeInstanceOf(Date);
    expect(await groupsOf(door)).toEqual([
      { id: groupId, count: 2, keptCount: 1, deviceCount: 1, note: 'known', fingerprints: ['v1:a', 'v2:a'] },
    ]);
    expect((await aCrash(door, device, { fingerprint: 'v2:a' })).groupId).toBe(groupId);
  });

  it('merges what the new recipe does not tell apart, into the oldest', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId } = await aCrash(door, device, { place: 'a1' });
    await aCrash(door, device, { place: 'a2' });

    await regroup(
      door,
      aRecipe((name) => name.slice(0, 1)),
    );

    expect(await groupsOf(door)).toEqual([
      { id: groupId, count: 2, keptCount: 2, deviceCount: 1, note: null, fingerprints: ['v2:a'] },
    ]);
  });

  it('finds the group again that new crashes have made under the new recipe', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId } = await aCrash(door, device, { place: 'a' });
    await door.ask(NOTE, { id: groupId });
    await aCrash(door, device, { place: 'a', fingerprint: 'v2:a' });

    await regroup(
      door,
      aRecipe((name) => name),
    );

    expect(await groupsOf(door)).toMatchObject([{ id: groupId, count: 2, note: 'known' }]);
  });

  it('tells apart what the old recipe did not', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    const { groupId } = await aCrash(door, device, { place: 'a', fingerprint: 'v1:same' });
    await aCrash(door, device, { place: 'b', fingerprint: 'v1:same' });

    await regroup(
      door,
      aRecipe((name) => name),
    );

    const groups = await groupsOf(door);
    expect(groups).toHaveLength(2);
    expect(groups.find(({ id }) => id === groupId)).toMatchObject({ count: 1, fingerprints: ['v2:a'] });
  });

  it('goes on where it was stopped', async () => {
    const door = await aGraphQLDoor();
    const device = await aDevice(door);
    for (const place of ['a', 'b', 'c']) await aCrash(door, device, { place });
    const [first] = await door.db.coredump.findMany({ orderBy: { id: 'asc' }, take: 1 });
    await door.db.regroupRun.create({
      data: {
        fingerprintVersion: 'v2',
        startedAt: new Date(),
        total: 3,
        done: 1,
        afterId: first?.id ?? 0,
        leaseOwner: 'somebody who died',
        leaseUntil: new Date(Date.now() - 1),
      },
    });

    const progress = await regroup(
      door,
      aRecipe((name) => name),
    );

    expect(progress).toMatchObject({ total: 3, done: 3 });
    const names = (await groupsOf(door)).flatMap(({ fingerprints }) => fingerprints).sort();
    expect(names).toEqual(['v1:a', 'v2:b', 'v2:c']);
  });

  it('counts dumps of before there were groups, and says how far it is', async () => {
    const door = await aGraphQLDoor();
    const { dump } = await aCrash(door, await aDevice(door));
    await door.db.crashOccurrence.deleteMany({});
    await door.db.crashSignature.deleteMany({});
    await door.db.crashGroup.deleteMany({});

    const { regroupCrashes } = await door.ask(PROGRESS, {});
    expect(regroupCrashes).toMatchObject({ fingerprintVersion: 'v1', total: 1, done: 0, finishedAt: null });

    await expect
      .poll(async () => (await door.db.regroupRun.findFirst())?.finishedAt, { timeout: 30_000 })
      .toBeInstanceOf(Date);
    expect(await groupsOf(door)).toMatchObject([{ count: 1, keptCount: 1 }]);
    expect(await door.db.coredump.findUnique({ where: { id: dump.id } })).toMatchObject({
      fingerprint: 'v1:sensor_read',
    });
  });
});
