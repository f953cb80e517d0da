import { describe, expect, it } from 'vitest';
import { GROUP_ORDER_FIELDS } from '../../src/crash-groups/types.js';
import { encodeGlobalId } from '../../src/global-ids.js';
import { graphql } from '../generated/gql.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const LIST = graphql(`
  query GroupList($filter: CrashGroupFilter, $orderBy: CrashGroupOrder, $first: Int, $after: String, $last: Int, $before: String) {
    crashGroups(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
      totalCount nodes { culpritFunction } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`);
const SERIES = graphql(`
  query Series($unit: TimeUnit!, $from: DateTime, $to: DateTime, $filter: CrashFilter, $id: ID!) {
    crashes(unit: $unit, from: $from, to: $to, filter: $filter) { start count }
    crashGroup(id: $id) { crashes(unit: $unit, from: $from, to: $to, filter: $filter) { start count } }
  }
`);
const EVERYTHING = graphql(`
  query EverythingOfGroups {
    crashGroups(first: 50) {
      totalCount
      nodes {
        id title velocity keptCount fingerprints firmwareVersions chips models { code } variants { model { code } count }
        mergedIds history(first: 3) { totalCount nodes { at actor action detail } }
        crashBreakdown(by: MODEL, unit: DAY) { key model { code } count isRest buckets { start count } }
        crashes(unit: DAY) { count }
        coredumps(first: 3) { totalCount nodes { id device { key } crashGroup { id } } }
        devices(first: 3) { totalCount nodes { key crashGroups(first: 2, orderBy: { field: LAST_SEEN_AT }) { totalCount nodes { id } } } }
      }
    }
  }
`);
const FIRMWARES = graphql(`
  query FirmwareHealth {
    deviceModels { nodes { firmwares { nodes {
      version crashCount crashedDeviceCount crashFreeDeviceCount waitingCoredumpCount
      crashGroups { totalCount nodes { culpritFunction } }
    } } } }
    missingFirmwares { model { code } firmwareVersion elfSha256Prefix coredumpCount deviceCount }
  }
`);

const ORDERS = GROUP_ORDER_FIELDS.flatMap((field) => [
  { field, direction: 'DESC' as const },
  { field, direction: 'ASC' as const },
]);

async function names(
  endpoint: GraphQLEndpoint,
  variables: Parameters<typeof endpoint.ask<unknown, object>>[1],
) {
  const { crashGroups } = await endpoint.ask(LIST, variables);
  return crashGroups.nodes.map(({ culpritFunction }) => culpritFunction);
}

/** Group "often" with three crashes of one device, "wide" with two of two, "late" with the last one. */
async function aTriagedFleet(endpoint: GraphQLEndpoint) {
  const model = await endpoint.fleet.aModel({ code: 'thermostat' });
  const lamp = await endpoint.fleet.aModel({ code: 'lamp' });
  const [one, two] = [
    await endpoint.fleet.aDevice(model, { key: 'one' }),
    await endpoint.fleet.aDevice(lamp),
  ];
  const at = (hour: number) => new Date(Date.UTC(2026, 1, 1, hour, 30));
  for (const hour of [0, 0, 1])
    await aCrash(endpoint, one, { place: 'often', at: at(hour), version: '1.0.0' });
  for (const device of [one, two])
    await aCrash(endpoint, device, { place: 'wide', at: at(25), version: '1.1.0' });
  const { groupId } = await aCrash(endpoint, one, { place: 'late', at: at(48), chip: 'esp32' });
  await endpoint.crashGroups.assign(2, 'ada');
  return { one, two, late: groupId };
}

describe('crashGroups', () => {
  it('sorts by what is asked for', async () => {
    const endpoint = await aGraphQLEndpoint();
    await aTriagedFleet(endpoint);

    expect(await names(endpoint, {})).toEqual(['often', 'wide', 'late']);
    expect(await names(endpoint, { orderBy: { field: 'DEVICE_COUNT' } })).toEqual(['wide', 'late', 'often']);
    expect(await names(endpoint, { orderBy: { field: 'LAST_SEEN_AT' } })).toEqual(['late', 'wide', 'often']);
    expect(await names(endpoint, { orderBy: { field: 'VELOCITY' } })).toEqual(['wide', 'late', 'often']);
    expect(await names(endpoint, { orderBy: { field: 'FIRST_SEEN_AT' } })).toEqual(['late', 'wide', 'often']);
    const { nodes } = (await endpoint.ask(LIST, { orderBy: { field: 'COUNT', direction: 'ASC' } }))
      .crashGroups;
    expect(nodes.map(({ culpritFunction }) => culpritFunction)).toEqual(['late', 'wide', 'often']);
  });

  it.each([
    [{ modelCode: ['lamp'] }, ['wide']],
    [{ modelCode: ['thermostat'], firmwareVersion: ['1.1.0'] }, ['wide']],
    [{ modelCode: ['lamp'], firmwareVersion: ['1.0.0'] }, []],
    [{ chip: ['esp32'] }, ['late']],
    [{ deviceKey: ['one'] }, ['often', 'wide', 'late']],
    [{ state: ['RESOLVED' as const] }, []],
    [{ fingerprint: ['v1:wide'] }, ['wide']],
    [{ search: 'PROHIBITED Wide' }, ['wide']],
    [{ lastSeenAfter: '2026-02-02T01:30:00Z' }, ['wide', 'late']],
    [{ lastSeenBefore: '2026-02-02T01:30:00Z' }, ['often']],
    [{ firstSeenAfter: '2026-02-02T01:30:00Z', firstSeenBefore: '2026-02-03T00:30:00Z' }, ['wide']],
    [{ isAssigned: true }, ['wide']],
    [{ isAssigned: false }, ['often', 'late']],
    [{ isRegression: true }, []],
    [{ isRegression: false }, ['often', 'wide', 'late']],
    [{ id: [encodeGlobalId('CrashGroup', 1), encodeGlobalId('CrashGroup', 3)] }, ['often', 'late']],
    [{ id: [] }, []],
    [{ reasonClass: [] }, []],
  ])('filters by %j', async (filter, expected) => {
    const endpoint = await aGraphQLEndpoint();
    await aTriagedFleet(endpoint);

    expect(await names(endpoint, { filter })).toEqual(expected);
  });

  it('filters by a build that stored dumps were parsed with', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { one } = await aTriagedFleet(endpoint);
    const build = await endpoint.fleet.aFirmware({ id: one.modelId });
    const other = await endpoint.fleet.aFirmware({ id: one.modelId });
    await endpoint.db.coredump.updateMany({
      where: { fingerprint: 'v1:late' },
      data: { firmwareId: build.id },
    });

    expect(await names(endpoint, { filter: { firmwareId: [build.globalId] } })).toEqual(['late']);
    expect(await names(endpoint, { filter: { firmwareId: [other.globalId] } })).toEqual([]);
  });

  it.each(ORDERS)('turns pages in both directions by $field $direction', async (orderBy) => {
    const endpoint = await aGraphQLEndpoint();
    await aTriagedFleet(endpoint);
    const all = await names(endpoint, { orderBy });

    const first = (await endpoint.ask(LIST, { orderBy, first: 2 })).crashGroups;
    const rest = (await endpoint.ask(LIST, { orderBy, first: 2, after: first.pageInfo.endCursor }))
      .crashGroups;
    const back = (await endpoint.ask(LIST, { orderBy, last: 1, before: first.pageInfo.endCursor }))
      .crashGroups;

    expect([...first.nodes, ...rest.nodes].map(({ culpritFunction }) => culpritFunction)).toEqual(all);
    expect(first).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(back.nodes.map(({ culpritFunction }) => culpritFunction)).toEqual(all.slice(0, 1));
  });

  it('refuses cursors of another order or of nothing', async () => {
    const endpoint = await aGraphQLEndpoint();
    await aTriagedFleet(endpoint);
    const { endCursor } = (await endpoint.ask(LIST, { orderBy: { field: 'COUNT' } })).crashGroups.pageInfo;
    const send = (field: string, after: string) =>
      endpoint.send(`{ crashGroups(orderBy: { field: ${field} }, after: "${after}") { nodes { id } } }`);

    for (const answer of [await send('LAST_SEEN_AT', endCursor ?? ''), await send('COUNT', 'bm9wZQ==')]) {
      expect(answer.errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
    }
  });
});

describe('time series', () => {
  it('have every hour or day, of the fleet and of a group', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { late: id } = await aTriagedFleet(endpoint);

    const days = await endpoint.ask(SERIES, {
      unit: 'DAY',
      from: '2026-02-01T10:00:00Z',
      to: '2026-02-04T00:00:00Z',
      id,
    });
    expect(days.crashes).toEqual([
      { start: '2026-02-01T00:00:00.000Z', count: 3 },
      { start: '2026-02-02T00:00:00.000Z', count: 2 },
      { start: '2026-02-03T00:00:00.000Z', count: 1 },
    ]);
    expect(days.crashGroup?.crashes.map(({ count }) => count)).toEqual([0, 0, 1]);

    const hours = await endpoint.ask(SERIES, {
      unit: 'HOUR',
      from: '2026-02-01T00:00:00Z',
      to: '2026-02-01T03:00:00Z',
      id,
    });
    expect(hours.crashes.map(({ count }) => count)).toEqual([2, 1, 0]);
  });

  it.each([
    [{ modelCode: ['lamp'] }, [0, 1, 0], [0, 0, 0]],
    [{ modelCode: ['thermostat', 'nobody'] }, [3, 1, 1], [0, 0, 1]],
    [{ firmwareVersion: ['1.0.0'] }, [3, 0, 1], [0, 0, 1]],
    [{ firmwareVersion: ['1.1.0'], modelCode: ['thermostat'] }, [0, 1, 0], [0, 0, 0]],
    [{ modelCode: [] }, [0, 0, 0], [0, 0, 0]],
  ])('are filtered by %j', async (filter, ofFleet, ofGroup) => {
    const endpoint = await aGraphQLEndpoint();
    const { late: id } = await aTriagedFleet(endpoint);

    const range = { from: '2026-02-01T00:00:00Z', to: '2026-02-04T00:00:00Z' };
    const { crashes, crashGroup } = await endpoint.ask(SERIES, { unit: 'DAY', ...range, filter, id });

    expect(crashes.map(({ count }) => count)).toEqual(ofFleet);
    expect(crashGroup?.crashes.map(({ count }) => count)).toEqual(ofGroup);
  });

  it('refuse ranges that are empty or too long, naming the limit', async () => {
    const endpoint = await aGraphQLEndpoint();
    const send = (from: string, to: string) =>
      endpoint.send(`{ crashes(unit: HOUR, from: "${from}", to: "${to}") { count } }`);

    const empty = await send('2026-02-02T00:00:00Z', '2026-02-01T00:00:00Z');
    const long = await send('2025-01-01T00:00:00Z', '2026-01-01T00:00:00Z');

    expect(empty.errors[0]?.message).toContain('later than');
    expect(long.errors[0]?.message).toContain('1008');
  });
});

describe('firmwares', () => {
  it('tell the crashes, the groups and the crash-free devices of their version', async () => {
    const endpoint = await aGraphQLEndpoint();
    const model = await endpoint.fleet.aModel({ code: 'thermostat' });
    await endpoint.fleet.aFirmware(model, { version: '1.0.0' });
    const devices = await Promise.all([1, 2, 3].map(() => endpoint.fleet.aDevice(model)));
    const [one, two] = devices;
    if (one === undefined || two === undefined) throw new Error('three devices were made');
    await aCrash(endpoint, one, { place: 'a' });
    await aCrash(endpoint, one, { place: 'b' });
    await aCrash(endpoint, two, { version: '2.0.0', place: 'c' });
    await aPendingDump(endpoint, two);
    await parsed(endpoint, await aPendingDump(endpoint, two, { version: '3.0.0' }), { status: 'ERROR' });

    const { deviceModels, missingFirmwares } = await endpoint.ask(FIRMWARES, {});

    expect(deviceModels.nodes[0]?.firmwares.nodes).toEqual([
      {
        version: '1.0.0',
        crashCount: 2,
        crashedDeviceCount: 1,
        crashFreeDeviceCount: 2,
        waitingCoredumpCount: 1,
        crashGroups: { totalCount: 2, nodes: [{ culpritFunction: 'b' }, { culpritFunction: 'a' }] },
      },
    ]);
    expect(missingFirmwares).toEqual([
      {
        model: { code: 'thermostat' },
        firmwareVersion: '3.0.0',
        elfSha256Prefix: null,
        coredumpCount: 1,
        deviceCount: 1,
      },
    ]);
  });
});

it.each([2, 12])('SQL statements do not grow with groups: %i', async (groups) => {
  const endpoint = await aGraphQLEndpoint();
  const devices = await Promise.all(
    [1, 2].map(async () => endpoint.fleet.aDevice(await endpoint.fleet.aModel(), {})),
  );
  for (let index = 0; index < groups; index++) {
    for (const device of devices) await aCrash(endpoint, device, { place: `f${index}` });
  }

  const statements = await endpoint.statementsOf(() => endpoint.ask(EVERYTHING, {}));

  // Groups and their count; kept dumps, fingerprints, variants (2), models, series, dumps, devices and their count;
  // the dumps' devices, their groups' ids, those groups; the groups of devices and their count; merged ids, the
  // histories and their lengths, the series by model.
  expect(statements).toHaveLength(20);
});
