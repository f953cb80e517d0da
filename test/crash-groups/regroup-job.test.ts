import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { CURRENT_RECIPE, type FingerprintRecipe } from '../../src/crash-groups/regroup-dump.js';
import { createRegroupJob } from '../../src/crash-groups/regroup-job.js';
import { graphql } from '../generated/gql.js';
import { aCrash, aPendingDump, aReport, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

const GROUPS = graphql(`
  query RegroupedGroups { crashGroups(orderBy: { field: LAST_SEEN_AT }) { nodes { id count keptCount deviceCount note fingerprints } } }
`);
const NOTE = graphql(
  `mutation NoteGroup($id: ID!) { noteCrashGroup(input: { id: $id, note: "known" }) { crashGroup { id } } }`,
);
const PROGRESS = graphql(
  `mutation Again { regroupCrashes(input: {}) { regrouping { fingerprintVersion total done finishedAt } } }`,
);

const aDevice = async (endpoint: GraphQLEndpoint) => endpoint.fleet.aDevice(await endpoint.fleet.aModel());
const groupsOf = async (endpoint: GraphQLEndpoint) => (await endpoint.ask(GROUPS, {})).crashGroups.nodes;

/** By the function's name, as `rename` has it. */
function aRecipe(rename: (name: string) => string): FingerprintRecipe {
  return {
    version: 'v2',
    of: ({ tasks }) => `v2:${rename(tasks[0]?.frames[1]?.function ?? '')}`,
  };
}

async function regroup(endpoint: GraphQLEndpoint, recipe: FingerprintRecipe) {
  const log = pino({ level: 'silent' });
  const { db, groupAlerts: alerts } = endpoint;
  const database = { db, now: async () => new Date() };
  const job = createRegroupJob({ database, owner: 'test', now: () => new Date(), log, alerts, recipe });
  job.start();
  await job.idle();
  const progress = await job.progress();
  await job.close();
  return progress;
}

/** As the release with recipe v1 left a crash that it could not group: its task's function had returned. */
async function asStoredBefore({ db }: GraphQLEndpoint) {
  const {
    culprit: _,
    watchdogTasks: __,
    ...report
  } = aReport({ reason: 'abort() was called at PC 0x400d66b9 on core 0' });
  const frames = report.tasks.flatMap((task) => task.frames);
  const called = ['panic_abort', 'esp_system_abort', 'abort', 'vPortTaskWrapper'].map((name, index) => ({
    ...frames[0],
    index,
    function: name,
  }));
  const tasks = report.tasks.map((task) => ({ ...task, frames: called }));
  await db.coredumpText.updateMany({
    data: { report: JSON.stringify({ ...report, fingerprint: null, tasks }) },
  });
  await db.coredump.updateMany({ data: { fingerprint: null, crashKind: 'ABORT' } });
}

describe('regrouping', () => {
  it('carries a group over to its new fingerprint, with its note and its history', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { dump, groupId } = await aCrash(endpoint, device, { place: 'a' });
    await aCrash(endpoint, device, { place: 'a' });
    await endpoint.ask(NOTE, { id: groupId });
    await endpoint.coredumps.delete(dump.id);

    const progress = await regroup(
      endpoint,
      aRecipe((name) => name),
    );

    expect(progress).toMatchObject({ fingerprintVersion: 'v2', total: 1, done: 1 });
    expect(progress?.finishedAt).toBeInstanceOf(Date);
    expect(await groupsOf(endpoint)).toEqual([
      { id: groupId, count: 2, keptCount: 1, deviceCount: 1, note: 'known', fingerprints: ['v1:a', 'v2:a'] },
    ]);
    expect((await aCrash(endpoint, device, { fingerprint: 'v2:a' })).groupId).toBe(groupId);
  });

  it('merges what the new recipe does not tell apart, into the oldest', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId } = await aCrash(endpoint, device, { place: 'a1' });
    await aCrash(endpoint, device, { place: 'a2' });

    await regroup(
      endpoint,
      aRecipe((name) => name.slice(0, 1)),
    );

    expect(await groupsOf(endpoint)).toEqual([
      { id: groupId, count: 2, keptCount: 2, deviceCount: 1, note: null, fingerprints: ['v2:a'] },
    ]);
  });

  it('finds the group again that new crashes have made under the new recipe', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId } = await aCrash(endpoint, device, { place: 'a' });
    await endpoint.ask(NOTE, { id: groupId });
    await aCrash(endpoint, device, { place: 'a', fingerprint: 'v2:a' });

    await regroup(
      endpoint,
      aRecipe((name) => name),
    );

    expect(await groupsOf(endpoint)).toMatchObject([{ id: groupId, count: 2, note: 'known' }]);
  });

  it('tells apart what the old recipe did not', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const { groupId } = await aCrash(endpoint, device, { place: 'a', fingerprint: 'v1:same' });
    await aCrash(endpoint, device, { place: 'b', fingerprint: 'v1:same' });

    await regroup(
      endpoint,
      aRecipe((name) => name),
    );

    const groups = await groupsOf(endpoint);
    expect(groups).toHaveLength(2);
    expect(groups.find(({ id }) => id === groupId)).toMatchObject({ count: 1, fingerprints: ['v2:a'] });
  });

  it('goes on where it was stopped', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    for (const place of ['a', 'b', 'c']) await aCrash(endpoint, device, { place });
    const [first] = await endpoint.db.coredump.findMany({ orderBy: { id: 'asc' }, take: 1 });
    await endpoint.db.regroupRun.create({
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
      endpoint,
      aRecipe((name) => name),
    );

    expect(progress).toMatchObject({ total: 3, done: 3 });
    const names = (await groupsOf(endpoint)).flatMap(({ fingerprints }) => fingerprints).sort();
    expect(names).toEqual(['v1:a', 'v2:b', 'v2:c']);
  });

  it('counts dumps of before there were groups, and says how far it is', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await aCrash(endpoint, await aDevice(endpoint), { fingerprint: 'v2:sensor_read' });
    await endpoint.db.crashOccurrence.deleteMany({});
    await endpoint.db.crashSignature.deleteMany({});
    await endpoint.db.crashGroup.deleteMany({});

    const { regroupCrashes } = await endpoint.ask(PROGRESS, {});
    expect(regroupCrashes.regrouping).toMatchObject({
      fingerprintVersion: 'v2',
      total: 1,
      done: 0,
      finishedAt: null,
    });

    await expect
      .poll(async () => (await endpoint.db.regroupRun.findFirst())?.finishedAt, { timeout: 30_000 })
      .toBeInstanceOf(Date);
    expect(await groupsOf(endpoint)).toMatchObject([{ count: 1, keptCount: 1 }]);
    expect(await endpoint.db.coredump.findUnique({ where: { id: dump.id } })).toMatchObject({
      fingerprint: 'v2:sensor_read',
    });
  });

  it('gives a group to crashes that had none under the recipe of before, also while they wait for a build', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const dumps = [await aPendingDump(endpoint, device), await aPendingDump(endpoint, device)];
    await parsed(endpoint, dumps[0] ?? { id: 0 }, { crash: { hasReport: false } });
    await parsed(endpoint, dumps[1] ?? { id: 0 }, { status: 'ERROR' });
    await asStoredBefore(endpoint);
    expect(await groupsOf(endpoint)).toEqual([]);

    await regroup(endpoint, CURRENT_RECIPE);

    expect(await groupsOf(endpoint)).toMatchObject([{ count: 2, keptCount: 2 }]);
    expect(await endpoint.db.coredump.findMany({ select: { fingerprint: true, crashKind: true } })).toEqual([
      { fingerprint: expect.stringMatching(/^v2:[0-9a-f]{16}$/), crashKind: 'TASK_RETURNED' },
      { fingerprint: expect.stringMatching(/^v2:[0-9a-f]{16}$/), crashKind: 'TASK_RETURNED' },
    ]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });
});
