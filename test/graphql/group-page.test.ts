import { describe, expect, it } from 'vitest';
import { graphql } from '../generated/gql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';

const DUMPS_OF_GROUP = graphql(`
  query DumpsOfGroup($id: ID!, $filter: CoredumpFilter, $orderBy: CoredumpOrder, $first: Int, $after: String, $last: Int, $before: String) {
    crashGroup(id: $id) {
      coredumps(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { id firmwareVersion chip device { key } } pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
const DEVICES_OF_GROUP = graphql(`
  query AffectedDevicesOfGroup($id: ID!, $after: String, $orderBy: AffectedDeviceOrder) {
    crashGroup(id: $id) {
      affectedDevices(first: 2, after: $after, orderBy: $orderBy) {
        totalCount nodes { device { key } count lastCrashAt } pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
const DAYS_OF_GROUP = graphql(`
  query DaysOfGroup($id: ID!, $from: DateTime, $to: DateTime, $zone: String) {
    crashesRecordedSince
    crashes(unit: DAY, from: $from, to: $to, timeZone: $zone) { start count }
    crashGroup(id: $id) {
      crashes(unit: DAY, from: $from, to: $to, timeZone: $zone) { start count }
      crashBreakdown(by: FIRMWARE_VERSION, unit: DAY, from: $from, to: $to, timeZone: $zone) { key buckets { start count } }
    }
  }
`);
const GROUPS = graphql(`
  query GroupsWithTheirs($filter: CoredumpFilter) {
    crashGroups { nodes { coredumps(filter: $filter) { totalCount nodes { id } } affectedDevices { totalCount nodes { count } } } }
  }
`);

/** Three devices with 3, 2 and 1 crashes of a group, on three days, in two versions. */
async function aGroup() {
  const endpoint = await aGraphQLEndpoint();
  const model = await endpoint.fleet.aModel();
  const [a, b, c] = [
    await endpoint.fleet.aDevice(model, { key: 'a' }),
    await endpoint.fleet.aDevice(model, { key: 'b' }),
    await endpoint.fleet.aDevice(model, { key: 'c' }),
  ];
  const at = (day: number, hour = 12) => new Date(Date.UTC(2026, 1, day, hour));
  const crashes = [
    await aCrash(endpoint, a, { version: '1.0.0', at: at(1, 22) }),
    await aCrash(endpoint, a, { version: '1.0.0', at: at(1, 23) }),
    await aCrash(endpoint, b, { version: '1.1.0', at: at(2) }),
    await aCrash(endpoint, c, { version: '1.1.0', chip: 'esp32', at: at(3) }),
    await aCrash(endpoint, b, { version: '1.1.0', at: at(2) }),
    await aCrash(endpoint, a, { version: '1.1.0', at: at(2) }),
  ];
  await aCrash(endpoint, a, { version: '1.0.0', place: 'elsewhere', at: at(1) });
  const id = crashes[0]?.groupId ?? '';
  return { endpoint, id, dumps: crashes.map(({ dump }) => dump.globalId) };
}

describe('the dumps of a group', () => {
  it('can be filtered, and asked for from both ends', async () => {
    const { endpoint, id, dumps } = await aGroup();
    const ask = async (variables: object) =>
      (await endpoint.ask(DUMPS_OF_GROUP, { id, ...variables })).crashGroup?.coredumps;
    const idsOf = async (variables: object) => (await ask(variables))?.nodes.map((node) => node.id);
    const [first, second, third, fourth, fifth, sixth] = dumps;

    expect(await idsOf({ filter: { firmwareVersion: ['1.0.0'] } })).toEqual([second, first]);
    expect(await idsOf({ filter: { chip: ['esp32'] } })).toEqual([fourth]);
    expect(await idsOf({ filter: { deviceKey: ['b'] } })).toEqual([fifth, third]);
    expect(await idsOf({ filter: { uploadedAfter: '2026-02-03T00:00:00Z' } })).toEqual([fourth]);
    expect(await ask({ filter: { deviceKey: ['a'] }, first: 1 })).toMatchObject({
      ...{ totalCount: 3, nodes: [{ id: sixth }], pageInfo: { hasNextPage: true } },
    });
    expect(await idsOf({ orderBy: { field: 'UPLOADED_AT', direction: 'ASC' }, first: 2 })).toEqual([
      first,
      second,
    ]);
  });

  it('take as many statements for two groups as for one', async () => {
    const { endpoint } = await aGroup();

    const statements = await endpoint.statementsOf(() =>
      endpoint.ask(GROUPS, { filter: { firmwareVersion: ['1.0.0'] } }),
    );

    // Groups, their dumps and how many, their devices and how many.
    expect(statements.filter((sql) => sql.includes('SELECT')).length).toBeLessThanOrEqual(5);
  });
});

describe('the devices of a group', () => {
  it('come with their crashes, the most first, page by page', async () => {
    const { endpoint, id } = await aGroup();
    const page = async (variables: object) =>
      (await endpoint.ask(DEVICES_OF_GROUP, { id, ...variables })).crashGroup?.affectedDevices;

    const first = await page({});
    expect(first).toMatchObject({
      totalCount: 3,
      nodes: [
        { device: { key: 'a' }, count: 3, lastCrashAt: '2026-02-02T12:00:00.000Z' },
        { device: { key: 'b' }, count: 2 },
      ],
    });
    expect(await page({ after: first?.pageInfo.endCursor })).toMatchObject({
      ...{ nodes: [{ device: { key: 'c' }, count: 1 }], pageInfo: { hasNextPage: false } },
    });
    const byTime = await page({ orderBy: { field: 'LAST_CRASH_AT' } });
    expect(byTime?.nodes.map(({ device }) => device.key)[0]).toBe('c');
    expect(
      (await page({ orderBy: { field: 'LAST_CRASH_AT' }, after: byTime?.pageInfo.endCursor }))?.nodes,
    ).toHaveLength(1);
  });
});

describe('crashes a day', () => {
  it('are those of the reader’s days, in every version', async () => {
    const { endpoint, id } = await aGroup();
    const times = { from: '2026-02-01T12:00:00Z', to: '2026-02-03T12:00:00Z' };

    const berlin = await endpoint.ask(DAYS_OF_GROUP, { id, ...times, zone: 'Europe/Berlin' });

    // 23:00 in UTC is the next day in Berlin.
    expect(berlin.crashGroup?.crashes).toEqual([
      { start: '2026-01-31T23:00:00.000Z', count: 1 },
      { start: '2026-02-01T23:00:00.000Z', count: 4 },
      { start: '2026-02-02T23:00:00.000Z', count: 1 },
    ]);
    expect(berlin.crashes.map(({ count }) => count)).toEqual([2, 4, 1]);
    expect(
      berlin.crashGroup?.crashBreakdown.map(({ key, buckets }) => [
        key,
        ...buckets.map(({ count }) => count),
      ]),
    ).toEqual([
      ['1.1.0', 0, 3, 1],
      ['1.0.0', 1, 1, 0],
    ]);
    // The first crash is older than this installation.
    expect(berlin.crashesRecordedSince).toBe('2026-02-01T12:00:00.000Z');
  });

  it('name what is wrong with a time zone', async () => {
    const { endpoint, id } = await aGroup();

    const { errors } = await endpoint.send(`{ crashes(unit: DAY, timeZone: "Mars/Olympus") { count } }`, {
      id,
    });

    expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'timeZone' } });
  });
});
