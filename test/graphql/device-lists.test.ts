import { describe, expect, it } from 'vitest';
import type { Whole } from '../../src/dashboard/api/whole.js';
import { graphql } from '../generated/gql.js';
import type {
  DeviceFilter,
  DeviceOrder,
  DeviceOrderField,
  SortedDevicesQuery,
} from '../generated/graphql.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const SORTED = graphql(`
  query SortedDevices($orderBy: DeviceOrder, $first: Int, $after: String, $last: Int, $before: String) {
    devices(orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
      nodes { key }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`);
const OF_MODELS = graphql(`
  query SortedDevicesOfModels($orderBy: DeviceOrder) {
    deviceModels { nodes { code deviceCount devices(orderBy: $orderBy, first: 2) { nodes { key } } } }
  }
`);
const FILTERED = graphql(`
  query FilteredDevices($filter: DeviceFilter) { devices(filter: $filter) { totalCount nodes { key } } }
`);
const CRASHES = graphql(`
  query CrashesOfDevices { devices(first: 200) { nodes { crashCount lastCrashAt lastCoredump { id } } } }
`);

const at = (day: number) => new Date(Date.UTC(2026, 1, day));

describe('a sorted list of devices', () => {
  it.each([
    ['CREATED_AT', 'ASC', ['b', 'a', 'd', 'c', 'e']],
    ['CREATED_AT', 'DESC', ['e', 'c', 'd', 'a', 'b']],
    ['KEY', 'ASC', ['a', 'b', 'c', 'd', 'e']],
    ['NAME', 'ASC', ['c', 'e', 'b', 'a', 'd']],
    // Devices that never crashed are equal: the newer one is the higher one.
    ['CRASH_COUNT', 'DESC', ['c', 'a', 'd', 'e', 'b']],
    ['LAST_CRASH_AT', 'DESC', ['d', 'a', 'c', 'e', 'b']],
    ['LAST_CRASH_AT', 'ASC', ['b', 'e', 'c', 'a', 'd']],
  ] satisfies Array<[DeviceOrderField, 'ASC' | 'DESC', string[]]>)(
    'by %s %s',
    async (field, direction, keys) => {
      const endpoint = await fiveDevices();
      const orderBy = { field, direction };

      const sorted = await endpoint.ask(SORTED, { orderBy });
      const paged = await everyPage(endpoint, orderBy);
      const backwards = await everyPageBackwards(endpoint, orderBy);

      expect(sorted.devices.nodes.map(({ key }) => key)).toEqual(keys);
      expect(paged).toEqual(keys);
      expect(backwards).toEqual(keys);
    },
  );

  it('is sorted within each model too, in one statement for all models', async () => {
    const endpoint = await fiveDevices();
    const other = await endpoint.fleet.aModel({ code: 'pump' });
    await endpoint.fleet.aDevice(other, { key: 'z' });
    await endpoint.fleet.aDevice(other, { key: 'y' });

    const ask = () => endpoint.ask(OF_MODELS, { orderBy: { field: 'KEY', direction: 'ASC' } });
    const statements = await endpoint.statementsOf(ask);

    expect((await ask()).deviceModels.nodes).toEqual([
      { code: 'pump', deviceCount: 2, devices: { nodes: [{ key: 'y' }, { key: 'z' }] } },
      { code: 'lamp', deviceCount: 5, devices: { nodes: [{ key: 'a' }, { key: 'b' }] } },
    ]);
    expect(statements).toHaveLength(3);
  });

  it('refuses cursors of another order, and what is none', async () => {
    const endpoint = await fiveDevices();
    const { devices } = await endpoint.ask(SORTED, { orderBy: { field: 'KEY' }, first: 1 });
    const query =
      'query ($after: String) { devices(orderBy: { field: CRASH_COUNT }, after: $after) { nodes { id } } }';
    const cursors = [
      devices.pageInfo.endCursor,
      'CRASH_COUNT:1:x',
      'CRASH_COUNT:1:99999999999',
      'CRASH_COUNT:-1:1',
      '',
    ];

    for (const cursor of cursors) {
      const after = cursor?.includes(':') === true ? Buffer.from(cursor).toString('base64') : cursor;
      const { errors } = await endpoint.send(query, { after });
      expect(errors[0]?.extensions.code, String(cursor)).toBe('BAD_USER_INPUT');
    }
  });
});

describe('a filter of devices', () => {
  it.each([
    [{ key: ['a', 'e', 'none'] }, ['e', 'a']],
    [{ key: [] }, []],
    [{ createdAfter: at(3).toISOString() }, ['e', 'c', 'd']],
    [{ createdBefore: at(3).toISOString() }, ['a', 'b']],
    [{ lastCrashAfter: at(12).toISOString() }, ['d', 'a']],
    [{ lastCrashBefore: at(12).toISOString() }, ['c']],
    [{ hasCrashed: true }, ['c', 'd', 'a']],
    [{ hasCrashed: false }, ['e', 'b']],
    [{ hasCrashed: null, key: null, search: null }, ['e', 'c', 'd', 'a', 'b']],
  ] satisfies Array<[DeviceFilter, string[]]>)('finds by %j', async (filter, keys) => {
    const endpoint = await fiveDevices();

    const { devices } = await endpoint.ask(FILTERED, { filter });

    expect(devices.nodes.map(({ key }) => key)).toEqual(keys);
    expect(devices.totalCount).toBe(keys.length);
  });

  it('finds by the version and the group that a device crashed in', async () => {
    const endpoint = await fiveDevices();
    const [a, b] = await endpoint.db.device.findMany({
      where: { key: { in: ['a', 'b'] } },
      orderBy: { key: 'asc' },
    });
    if (a === undefined || b === undefined) throw new Error('they were made');
    const first = await aCrash(endpoint, a, { place: 'one', version: '1.0.0' });
    const second = await aCrash(endpoint, b, { place: 'two', version: '2.0.0' });
    const keysOf = async (filter: DeviceFilter) =>
      (await endpoint.ask(FILTERED, { filter })).devices.nodes.map(({ key }) => key);

    expect(await keysOf({ firmwareVersion: ['1.0.0'] })).toEqual(['a']);
    expect(await keysOf({ firmwareVersion: ['2.0.0', '1.0.0'] })).toEqual(['a', 'b']);
    expect(await keysOf({ crashGroupId: [String(first.groupId)] })).toEqual(['a']);
    expect(await keysOf({ crashGroupId: [String(first.groupId), String(second.groupId)] })).toEqual([
      'a',
      'b',
    ]);
  });
});

describe('the crashes of devices', () => {
  it('are two statements for 200 devices', async () => {
    const endpoint = await fiveDevices();
    const model = await endpoint.fleet.aModel();
    const devices = await Promise.all(Array.from({ length: 30 }, () => endpoint.fleet.aDevice(model)));
    await Promise.all(devices.map((device) => endpoint.fleet.aDump(device)));

    expect(await endpoint.statementsOf(() => endpoint.ask(CRASHES, {}))).toHaveLength(2);
  });
});

/** "b" is the oldest; "e" and "b" never crashed. */
async function fiveDevices(): Promise<GraphQLEndpoint> {
  const endpoint = await aGraphQLEndpoint();
  const model = await endpoint.fleet.aModel({ code: 'lamp' });
  const rows: Array<[string, string | null, number, Date | null]> = [
    ['b', 'Lamp 2', 0, null],
    ['a', 'lamp 3', 4, at(12)],
    ['d', 'Porch', 2, at(13)],
    ['c', 'attic', 7, at(11)],
    ['e', null, 0, null],
  ];
  for (const [index, [key, name, crashCount, lastCrashAt]] of rows.entries()) {
    const { id } = await endpoint.fleet.aDevice(model, { key, name });
    const data = { crashCount, lastCrashAt, createdAt: at(index + 1) };
    await endpoint.db.device.update({ where: { id }, data });
  }
  return endpoint;
}

type SortedPage = Whole<SortedDevicesQuery>;

async function everyPage(endpoint: GraphQLEndpoint, orderBy: DeviceOrder): Promise<string[]> {
  const seen: string[] = [];
  for (let after: string | null | undefined = null; ; ) {
    const page: SortedPage = await endpoint.ask(SORTED, { orderBy, first: 2, after });
    seen.push(...page.devices.nodes.map(({ key }) => key));
    if (!page.devices.pageInfo.hasNextPage) return seen;
    after = page.devices.pageInfo.endCursor;
  }
}

async function everyPageBackwards(endpoint: GraphQLEndpoint, orderBy: DeviceOrder): Promise<string[]> {
  const seen: string[] = [];
  for (let before: string | null | undefined = null; ; ) {
    const page: SortedPage = await endpoint.ask(SORTED, { orderBy, last: 2, before });
    seen.unshift(...page.devices.nodes.map(({ key }) => key));
    if (!page.devices.pageInfo.hasPreviousPage) return seen;
    before = page.devices.pageInfo.startCursor;
  }
}
