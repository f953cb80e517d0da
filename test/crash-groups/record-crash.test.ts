import { describe, expect, it } from 'vitest';
import { inParallel } from '../../src/platform/queue/in-parallel.js';
import { graphql } from '../generated/gql.js';
import type { CrashKind } from '../generated/graphql.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

const GROUPS = graphql(`
  query CountedGroups {
    crashGroups {
      totalCount
      nodes {
        id title kind reason reasonClass culpritFunction culpritFile state count keptCount deviceCount
        firstSeenAt lastSeenAt velocity fingerprints firmwareVersions chips models { code }
        variants { firmwareVersion count }
      }
    }
  }
`);

const OF_KIND = graphql(`
  query GroupsOfKind($kind: [CrashKind!]) { crashGroups(filter: { kind: $kind }) { nodes { kind } } }
`);

const FLEET = graphql(`query FleetByDay { crashes(unit: DAY) { count } }`);

const groupsOf = async (endpoint: GraphQLEndpoint) => (await endpoint.ask(GROUPS, {})).crashGroups.nodes;
const crashesOf = async (endpoint: GraphQLEndpoint) =>
  (await endpoint.ask(FLEET, {})).crashes.reduce((sum, { count }) => sum + count, 0);

async function aDevice(endpoint: GraphQLEndpoint) {
  return endpoint.fleet.aDevice(await endpoint.fleet.aModel());
}

describe('a crash group', () => {
  it('is made by the first crash of a fingerprint and says where it happened', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'thermostat' });
    const at = new Date(Date.now() - 60_000);

    await aCrash(endpoint, await endpoint.fleet.aDevice(model), {
      place: 'sensor_read',
      version: '1.2.0',
      at,
    });

    expect(await groupsOf(endpoint)).toMatchObject([
      {
        title: 'LoadProhibited in sensor_read (sensor_read.c)',
        reason: 'LoadProhibited at 0x00000010',
        reasonClass: 'LoadProhibited',
        culpritFunction: 'sensor_read',
        culpritFile: 'sensor_read.c',
        state: 'OPEN',
        count: 1,
        keptCount: 1,
        deviceCount: 1,
        firstSeenAt: at.toISOString(),
        lastSeenAt: at.toISOString(),
        fingerprints: ['v1:sensor_read'],
        firmwareVersions: ['1.2.0'],
        chips: ['esp32c3'],
        models: [{ code: 'thermostat' }],
      },
    ]);
  });

  it.each([
    ['the stack guard of RISC-V chips', 'Stack protection fault at PC 0x42000010'],
    ['FreeRTOS’ own check', '***ERROR*** A stack overflow in task main has been detected.'],
  ])('of an overflowed stack is called after its task, also when %s found it', async (_, reason) => {
    const endpoint = await aGraphQLEndpoint();

    await aCrash(endpoint, await aDevice(endpoint), { reason, place: 'whichever_was_first' });

    expect(await groupsOf(endpoint)).toMatchObject([
      { title: 'stack overflow of task main', kind: 'STACK_OVERFLOW', reasonClass: 'stack overflow' },
    ]);
  });

  it('is found by the kind of its crashes', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    await aCrash(endpoint, device, { place: 'read', reason: 'Load access fault at 0x00000010' });
    await aCrash(endpoint, device, {
      place: 'stop',
      reason: 'abort() was called at PC 0x42009351 on core 0',
    });

    const ofKind = async (kind: CrashKind[]) =>
      (await endpoint.ask(OF_KIND, { kind })).crashGroups.nodes.map((group) => group.kind);

    expect(await ofKind(['ABORT'])).toEqual(['ABORT']);
    expect((await ofKind(['ABORT', 'INVALID_READ'])).sort()).toEqual(['ABORT', 'INVALID_READ']);
    expect(await ofKind(['TASK_WATCHDOG'])).toEqual([]);
  });

  it('counts crashes, devices and variants of later ones, in whatever order they are read', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [first, second] = [await aDevice(endpoint), await aDevice(endpoint)];
    const [early, late] = [new Date('2026-02-01T00:00:00Z'), new Date('2026-02-03T00:00:00Z')];

    await aCrash(endpoint, first, { version: '1.0.0', at: late });
    await aCrash(endpoint, second, { version: '1.1.0', at: early });
    await aCrash(endpoint, first, { version: '1.1.0', at: late });
    await aCrash(endpoint, first, { place: 'elsewhere' });

    const groups = await groupsOf(endpoint);
    expect(groups).toHaveLength(2);
    expect(groups[0]).toMatchObject({
      count: 3,
      deviceCount: 2,
      firstSeenAt: early.toISOString(),
      lastSeenAt: late.toISOString(),
      variants: expect.arrayContaining([
        { firmwareVersion: '1.0.0', count: 1 },
        { firmwareVersion: '1.1.0', count: 1 },
      ]),
    });
  });

  it('counts a dump once, however often it is read', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await aCrash(endpoint, await aDevice(endpoint));

    for (let again = 0; again < 2; again++) {
      await endpoint.state.reset({ id: dump.id });
      await parsed(endpoint, dump);
    }

    expect(await groupsOf(endpoint)).toMatchObject([{ count: 1, deviceCount: 1, keptCount: 1 }]);
    expect(await crashesOf(endpoint)).toBe(1);
  });

  it('keeps its dump while that is read again, and when that fails', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump, groupId } = await aCrash(endpoint, await aDevice(endpoint));

    await endpoint.state.reset({ id: dump.id });
    expect(await groupsOf(endpoint)).toMatchObject([{ count: 1, keptCount: 1 }]);

    expect(await parsed(endpoint, dump, { status: 'ERROR' })).toBe(groupId);
    expect(await groupsOf(endpoint)).toMatchObject([{ count: 1, keptCount: 1 }]);
  });

  it('loses a dump to another when a later reading says so, and goes when it was the only one', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    await aCrash(endpoint, device, { place: 'right' });
    const { dump } = await aCrash(endpoint, device, { place: 'wrong' });

    await endpoint.state.reset({ id: dump.id });
    await parsed(endpoint, dump, { crash: { place: 'right' } });

    expect(await groupsOf(endpoint)).toMatchObject([{ culpritFunction: 'right', count: 2, deviceCount: 1 }]);
    expect(await crashesOf(endpoint)).toBe(2);
  });

  it('goes on counting what retention and people delete', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    await aCrash(endpoint, device);
    const { dump } = await aCrash(endpoint, device);

    await endpoint.coredumps.delete(dump.id);
    expect(await groupsOf(endpoint)).toMatchObject([{ count: 2, keptCount: 1, deviceCount: 1 }]);

    await endpoint.devices.deleteDevice(device.id);
    expect(await groupsOf(endpoint)).toMatchObject([{ count: 2, keptCount: 0, deviceCount: 1 }]);
    expect(await crashesOf(endpoint)).toBe(2);
  });

  it('is not made for a crash without a report, which charts have all the same', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);

    await parsed(endpoint, await aPendingDump(endpoint, device), { crash: { hasReport: false } });
    const unreadable = await aPendingDump(endpoint, device);
    await parsed(endpoint, unreadable, { status: 'ERROR' });
    expect(await groupsOf(endpoint)).toEqual([]);
    expect(await crashesOf(endpoint)).toBe(2);

    // It can be read now.
    await endpoint.state.reset({ id: unreadable.id });
    await parsed(endpoint, unreadable);
    expect(await groupsOf(endpoint)).toMatchObject([{ count: 1 }]);
    expect(await crashesOf(endpoint)).toBe(2);
  });

  it('has a crash whose firmware is missing, until that arrives and tells its place', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    const addresses = { fingerprint: 'v2:addresses', hasReport: true };
    const waiting = await aPendingDump(endpoint, device);
    const other = await aPendingDump(endpoint, device);

    await parsed(endpoint, waiting, { status: 'ERROR', crash: addresses });
    await parsed(endpoint, other, { status: 'ERROR', crash: addresses });
    expect(await groupsOf(endpoint)).toMatchObject([{ fingerprints: ['v2:addresses'], count: 2 }]);

    await endpoint.state.reset({ id: waiting.id });
    await parsed(endpoint, waiting, { crash: { place: 'right' } });
    expect(await groupsOf(endpoint)).toMatchObject([
      { culpritFunction: 'right', count: 1 },
      { fingerprints: ['v2:addresses'], count: 1 },
    ]);

    // Its build is deleted, and it is read once more.
    await endpoint.state.reset({ id: waiting.id });
    await parsed(endpoint, waiting, { status: 'ERROR', crash: addresses });
    expect(await groupsOf(endpoint)).toMatchObject([{ count: 1 }, { count: 1 }]);
    expect(await crashesOf(endpoint)).toBe(2);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('is given by its report to a crash that could not be read before', async () => {
    const endpoint = await aGraphQLEndpoint();
    const dump = await aPendingDump(endpoint, await aDevice(endpoint));
    await parsed(endpoint, dump, { status: 'ERROR' });

    await endpoint.state.reset({ id: dump.id });
    await parsed(endpoint, dump, { status: 'ERROR', crash: { hasReport: true } });

    expect(await groupsOf(endpoint)).toMatchObject([{ count: 1 }]);
    expect(await crashesOf(endpoint)).toBe(1);
  });

  it('is right when many parses of old and new places end at the same time', async () => {
    const endpoint = await aGraphQLEndpoint();
    const devices = await Promise.all(Array.from({ length: 8 }, () => aDevice(endpoint)));
    const places = ['one', 'two', 'three'];
    const crashes = await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const device = devices[index % devices.length];
        if (device === undefined) throw new Error('there are eight devices');
        return { dump: await aPendingDump(endpoint, device), place: places[index % places.length] ?? '' };
      }),
    );

    // Eight at once: more transactions than the database has connections would wait for one, and at last in vain.
    await inParallel(crashes, async ({ dump, place }) => {
      await parsed(endpoint, dump, { crash: { place } });
    });

    const groups = await groupsOf(endpoint);
    expect(groups.map(({ count, deviceCount, keptCount }) => ({ count, deviceCount, keptCount }))).toEqual(
      places.map(() => ({ count: 40, deviceCount: 8, keptCount: 40 })),
    );
    expect(await crashesOf(endpoint)).toBe(120);
  });

  it('tells its rate as crashes a day', async () => {
    const endpoint = await aGraphQLEndpoint();
    const device = await aDevice(endpoint);
    for (let hour = 0; hour < 240; hour += 3) {
      await aCrash(endpoint, device, { at: new Date(Date.now() - hour * 3_600_000) });
    }

    const [group] = await groupsOf(endpoint);
    expect(group?.velocity).toBeGreaterThan(7);
    expect(group?.velocity).toBeLessThan(9);
  });
});
