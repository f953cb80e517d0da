import { describe, expect, it } from 'vitest';
import { repairCounters } from '../../src/crash-groups/repair.js';
import { countUnread } from '../../src/crash-groups/unread.js';
import { graphql } from '../generated/gql.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

const CRASH_FREE = graphql(`
  query CrashFree($from: DateTime, $to: DateTime, $modelCode: [String!]) {
    crashFreeDevices(from: $from, to: $to, modelCode: $modelCode) {
      start deviceCount crashedDeviceCount crashFreeShare
    }
  }
`);
const DAYS = { from: '2026-03-01T00:00:00Z', to: '2026-03-04T00:00:00Z' };
const at = (day: number, hour = 10) => new Date(Date.UTC(2026, 2, day, hour));

/** Four lamps, one of which was made on 2 March, and an oven. */
async function aHome(endpoint: GraphQLEndpoint) {
  const lamp = await endpoint.fleet.aModel({ code: 'lamp' });
  const oven = await endpoint.fleet.aModel({ code: 'oven' });
  const one = await endpoint.fleet.aDevice(lamp);
  const two = await endpoint.fleet.aDevice(lamp);
  const three = await endpoint.fleet.aDevice(lamp);
  const young = await endpoint.fleet.aDevice(lamp);
  await endpoint.db.device.update({ where: { id: young.id }, data: { createdAt: at(2) } });
  return { lamp, oven, one, two, three, young, other: await endpoint.fleet.aDevice(oven) };
}

async function days(endpoint: GraphQLEndpoint, modelCode?: string[]) {
  const { crashFreeDevices } = await endpoint.ask(CRASH_FREE, { ...DAYS, modelCode: modelCode ?? null });
  return crashFreeDevices.map(({ deviceCount, crashedDeviceCount }) => [deviceCount, crashedDeviceCount]);
}

describe('devices without a crash', () => {
  it('are counted for each day, a device that crashed twice once', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { one, two, other, young } = await aHome(endpoint);
    await aCrash(endpoint, one, { at: at(1) });
    await aCrash(endpoint, one, { at: at(1, 20), version: '2.0.0', place: 'elsewhere' });
    await aCrash(endpoint, two, { at: at(1) });
    await aCrash(endpoint, young, { at: at(3) });
    await parsed(endpoint, await aPendingDump(endpoint, other, { at: at(3) }), { status: 'ERROR' });

    const { crashFreeDevices } = await endpoint.ask(CRASH_FREE, DAYS);
    expect(crashFreeDevices).toEqual([
      { start: '2026-03-01T00:00:00.000Z', deviceCount: 4, crashedDeviceCount: 2, crashFreeShare: 0.5 },
      { start: '2026-03-02T00:00:00.000Z', deviceCount: 5, crashedDeviceCount: 0, crashFreeShare: 1 },
      { start: '2026-03-03T00:00:00.000Z', deviceCount: 5, crashedDeviceCount: 2, crashFreeShare: 0.6 },
    ]);
    expect(await days(endpoint, ['lamp'])).toEqual([
      [3, 2],
      [4, 0],
      [4, 1],
    ]);
    expect(await days(endpoint, ['nobody'])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('stay the same when dumps are deleted, but not when the device is', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { one, two } = await aHome(endpoint);
    const { dump } = await aCrash(endpoint, one, { at: at(1) });
    const unread = await aPendingDump(endpoint, two, { at: at(1) });

    await endpoint.coredumps.delete(dump.id);
    await endpoint.coredumps.delete(unread.id);
    expect((await days(endpoint))[0]).toEqual([4, 2]);

    await endpoint.devices.deleteDevice(one.id);
    expect((await days(endpoint))[0]).toEqual([3, 1]);
  });

  it('are of the model that they are of now, with the crashes that they had as such', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { one } = await aHome(endpoint);
    await aCrash(endpoint, one, { at: at(1) });
    await endpoint.devices.updateDevice(one.id, { modelCode: 'oven' });

    expect((await days(endpoint, ['lamp']))[0]).toEqual([2, 0]);
    expect((await days(endpoint, ['oven']))[0]).toEqual([2, 0]);
    expect((await days(endpoint))[0]).toEqual([4, 1]);
  });

  it('are unknown without devices, and for hours', async () => {
    const endpoint = await aGraphQLEndpoint();

    const { crashFreeDevices } = await endpoint.ask(CRASH_FREE, DAYS);
    expect(crashFreeDevices[0]).toMatchObject({ deviceCount: 0, crashFreeShare: null });
    const { errors } = await endpoint.send('{ crashFreeDevices(unit: HOUR) { start } }');
    expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  });

  it('are repaired from the dumps that are stored', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { one } = await aHome(endpoint);
    await aCrash(endpoint, one, { at: at(1) });
    await endpoint.db.crashDay.deleteMany();
    expect((await recount(endpoint.databaseUrl)).join()).toContain('the days of a device');

    const repaired = await repairCounters(
      { db: endpoint.db, countUnread, now: () => new Date() },
      async () => true,
    );

    expect(repaired).toMatchObject({ crashDays: 1 });
    expect((await days(endpoint))[0]).toEqual([4, 1]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('cost one statement more for a crash', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { one } = await aHome(endpoint);
    await aCrash(endpoint, one);
    const dump = await aPendingDump(endpoint, one);

    const statements = await endpoint.statementsOf(() => parsed(endpoint, dump));

    expect(statements.filter((sql) => sql.includes('CrashDay'))).toHaveLength(1);
  });
});
