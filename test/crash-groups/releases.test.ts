import { describe, expect, it } from 'vitest';
import { dayOf, forgetDeviceDays } from '../../src/devices/device-days.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';
import { openSql } from '../support/recount-sql.js';

const RELEASE = graphql(`
  query ReleaseOfModel($modelCode: String!, $version: String!, $comparedTo: String) {
    release(modelCode: $modelCode, version: $version, comparedTo: $comparedTo) {
      version
      comparedTo { version }
      health {
        deviceCount crashedDeviceCount crashCount bootCount reportingDeviceCount deviceDayCount crashesPerDeviceDay
        crashFreeShare unknownBecause
      }
      comparison { verdict reason }
      runningDeviceCount waitingCoredumpCount
      groups { totalCount edges { change count comparedCount expectedCount node { title } } }
      adoption(days: 4) { start deviceCount comparedDeviceCount otherDeviceCount }
    }
  }
`);
const VERSIONS = graphql(`
  query VersionsOfModel($code: String!, $first: Int) {
    deviceModel(code: $code) { versions(first: $first) { version comparedTo { version } firmwares { version } } }
  }
`);
const TODAY = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;

/** A server whose days the test counts from 1; and a model with devices. */
async function aHome(devices = 3) {
  let day = 0;
  const at = (then: number) => new Date(TODAY + then * 24 * HOUR);
  const endpoint = await aGraphQLEndpoint({ clock: { ...createSystemClock(), now: () => at(day) } });
  const model = await endpoint.fleet.aModel({ code: 'lamp' });
  const all: Array<Awaited<ReturnType<typeof endpoint.fleet.aDevice>>> = [];
  for (let n = 0; n < devices; n += 1) all.push(await endpoint.fleet.aDevice(model));
  const on = (then: number) => {
    day = then;
  };
  let runs = 0;
  const boot = (device: { id: number; key: string }, version: string) =>
    endpoint.boots.record(device, {
      firmwareVersion: version,
      chip: null,
      elfSha256: null,
      resetReason: 'poweron',
      // Each run had another length: no report is taken for a repeated one.
      uptimeSeconds: ++runs,
      crashPending: false,
    });
  /** One boot a day and device. */
  const run = async (version: string, days: number[], of = all) => {
    for (const each of days) {
      on(each);
      for (const device of of) await boot(device, version);
    }
  };
  return { endpoint, model, devices: all, at, on, boot, run };
}

async function release(endpoint: GraphQLEndpoint, version: string, comparedTo: string | null = null) {
  const { release } = await endpoint.ask(RELEASE, { modelCode: 'lamp', version, comparedTo });
  if (release === null) throw new Error('nothing is known of the version');
  return release;
}

const changes = ({ groups }: Awaited<ReturnType<typeof release>>) =>
  groups.edges.map(({ change, count, comparedCount, node }) => [
    change,
    /in (\w+)/.exec(node.title)?.[1],
    count,
    comparedCount,
  ]);

describe('the days of devices', () => {
  it('count boots and crashes by version, whatever else a device has reported that day', async () => {
    const { endpoint, devices, boot, on, at } = await aHome(1);
    const [device] = devices;
    if (device === undefined) throw new Error('no device');
    await Promise.all([boot(device, '1.0.0'), boot(device, '1.0.0'), boot(device, '1.1.0')]);
    await aCrash(endpoint, device, { version: '1.1.0', at: at(0) });
    on(1);
    await boot(device, '1.1.0');

    const rows = await endpoint.db.deviceDay.findMany({
      orderBy: [{ slot: 'asc' }, { firmwareVersion: 'asc' }],
    });

    const today = dayOf(at(0));
    expect(
      rows.map(({ slot, firmwareVersion, boots, crashes }) => [
        slot - today,
        firmwareVersion,
        boots,
        crashes,
      ]),
    ).toEqual([
      [0, '1.0.0', 2, 0],
      [0, '1.1.0', 1, 1],
      [1, '1.1.0', 1, 0],
    ]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('move a crash whose version turns out to be another one', async () => {
    const { endpoint, model, devices, at } = await aHome(1);
    const [device] = devices;
    if (device === undefined) throw new Error('no device');
    const build = await endpoint.fleet.aFirmware(model, { version: '1.0.0' });
    const dump = await aPendingDump(endpoint, device, { version: '2.0.0', at: at(0) });
    await parsed(endpoint, dump, { status: 'ERROR' });
    expect(await endpoint.db.deviceDay.findMany()).toMatchObject([{ firmwareVersion: '2.0.0', crashes: 1 }]);

    await endpoint.putFile(device, dump);
    await endpoint.coredumps.reparse(dump.id);
    await parsed(endpoint, dump, { firmwareId: build.id });

    expect(await endpoint.db.deviceDay.findMany()).toMatchObject([{ firmwareVersion: '1.0.0', crashes: 1 }]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('cost a crash and a batch of boots one statement each', async () => {
    const { endpoint, devices, boot } = await aHome(3);
    const [device] = devices;
    if (device === undefined) throw new Error('no device');
    const dump = await aPendingDump(endpoint, device);

    const ofCrash = await endpoint.statementsOf(() => parsed(endpoint, dump));
    const ofBoots = await endpoint.statementsOf(() =>
      Promise.all(devices.map((each) => boot(each, '1.0.0'))),
    );

    expect(ofCrash.filter((sql) => sql.includes('DeviceDay'))).toHaveLength(1);
    expect(ofBoots.filter((sql) => sql.includes('DeviceDay'))).toHaveLength(1);
  });

  it('are removed after 180 days', async () => {
    const { endpoint, at, run } = await aHome(1);
    await run('1.0.0', [0, 1]);

    expect(await forgetDeviceDays(endpoint.db, at(179))).toBe(0);
    expect(await forgetDeviceDays(endpoint.db, at(180))).toBe(1);
    expect(await endpoint.db.deviceDay.count()).toBe(1);
  });
});

describe('a release', () => {
  it('counts what its devices did, as another program counts it from the rows', async () => {
    const { endpoint, devices, at, run } = await aHome(4);
    await run('1.3.0', [0, 1, 2]);
    await run('1.4.0', [3, 4], devices.slice(0, 3));
    const [one, two] = devices;
    if (one === undefined || two === undefined) throw new Error('no devices');
    for (const day of [0, 1, 2]) await aCrash(endpoint, one, { version: '1.3.0', at: at(day) });
    await aCrash(endpoint, two, { version: '1.4.0', at: at(3) });
    await aCrash(endpoint, two, { version: '1.4.0', at: at(3) });

    const answer = await release(endpoint, '1.4.0');

    expect(answer).toMatchObject({
      comparedTo: { version: '1.3.0' },
      health: {
        ...{ deviceCount: 3, crashedDeviceCount: 1, crashCount: 2, bootCount: 6, reportingDeviceCount: 3 },
        ...{ deviceDayCount: 6, crashesPerDeviceDay: 2 / 6, unknownBecause: null },
      },
      runningDeviceCount: 3,
      waitingCoredumpCount: 0,
    });
    expect(answer.health.crashFreeShare).toBeCloseTo(2 / 3);
    const counted = await countedAgain(endpoint, '1.4.0');
    const { deviceCount, crashCount, bootCount } = answer.health;
    expect({ deviceCount, crashCount, bootCount }).toEqual(counted);
  });

  it('does not say a share or a rate where nobody reports boots', async () => {
    const { endpoint, devices, at } = await aHome(2);
    const [device] = devices;
    if (device === undefined) throw new Error('no device');
    await aCrash(endpoint, device, { version: '1.4.0', at: at(0) });

    expect(await release(endpoint, '1.4.0')).toMatchObject({
      health: {
        ...{ deviceCount: 1, crashedDeviceCount: 1, crashCount: 1, reportingDeviceCount: 0 },
        ...{ crashFreeShare: null, crashesPerDeviceDay: null, unknownBecause: 'NO_BOOT_REPORTS' },
      },
      comparison: {
        verdict: 'UNKNOWN',
        reason: 'There is no version before 1.4.0 to compare it with.',
      },
    });
  });

  it('is worse or better where that is no chance, and a crash loop of one device is no proof', async () => {
    const { endpoint, devices, at, run } = await aHome(5);
    await run('1.3.0', [0, 1, 2, 3, 4, 5]);
    await run('1.4.0', [6, 7, 8, 9, 10, 11]);
    await run('1.5.0', [12, 13, 14, 15, 16, 17]);
    const [first] = devices;
    if (first === undefined) throw new Error('no device');
    for (const device of devices)
      for (const day of [6, 7, 8]) await aCrash(endpoint, device, { version: '1.4.0', at: at(day) });
    for (let n = 0; n < 40; n += 1) await aCrash(endpoint, first, { version: '1.5.0', at: at(12) });

    expect((await release(endpoint, '1.4.0')).comparison).toEqual({
      verdict: 'WORSE',
      // Six days and the day on which the next version ended the run.
      reason: '0.429 crashes per device and day, 0.000 in 1.3.0.',
    });
    expect((await release(endpoint, '1.5.0', '1.4.0')).comparison.verdict).toBe('BETTER');
    expect((await release(endpoint, '1.5.0', '1.3.0')).comparison).toEqual({
      verdict: 'SIMILAR',
      reason: '1.333 crashes per device and day, 0.000 in 1.3.0: the difference may be chance.',
    });
  });

  it('tells new, regressed, remaining, gone groups, and those that may still come', async () => {
    const { endpoint, devices, at, run, on } = await aHome(5);
    await run('1.3.0', [0, 1, 2, 3]);
    await run('1.4.0', [4, 5, 6, 7]);
    const [device] = devices;
    if (device === undefined) throw new Error('no device');
    const crash = (place: string, version: string, day: number) =>
      aCrash(endpoint, device, { place, version, at: at(day) });
    const fixed = await crash('fixed', '1.3.0', 0);
    if (fixed.groupId === null) throw new Error('no group');
    on(3);
    await endpoint.ask(RESOLVE, { input: { id: fixed.groupId, inVersion: '1.4.0' } });
    for (let n = 0; n < 4; n += 1) await crash('gone', '1.3.0', 1);
    await crash('rare', '1.3.0', 2);
    await crash('both', '1.3.0', 2);
    for (let n = 0; n < 3; n += 1) await crash('both', '1.4.0', 4);
    for (let n = 0; n < 2; n += 1) await crash('fresh', '1.4.0', 5);
    await crash('fixed', '1.4.0', 6);

    const answer = await release(endpoint, '1.4.0');

    expect(changes(answer)).toEqual([
      ['REMAINING', 'both', 3, 1],
      ['NEW', 'fresh', 2, 0],
      ['REGRESSED', 'fixed', 1, 1],
      ['GONE', 'gone', 0, 4],
      ['UNSEEN', 'rare', 0, 1],
    ]);
    expect(answer.groups.edges.map(({ expectedCount }) => expectedCount)).toEqual([0.8, 0, 0.8, 3.2, 0.8]);
    const { release: paged } = await endpoint.ask(PAGED, { change: ['GONE', 'UNSEEN', 'NEW'], first: 2 });
    const { pageInfo, totalCount } = paged?.groups ?? {};
    expect([totalCount, pageInfo?.hasNextPage]).toEqual([3, true]);
    const { release: rest } = await endpoint.ask(PAGED, {
      ...{ change: ['GONE', 'UNSEEN', 'NEW'], first: 2 },
      after: pageInfo?.endCursor ?? null,
    });
    expect(rest?.groups.edges.map(({ change }) => change)).toEqual(['UNSEEN']);
  });

  it('shows which versions devices ran on the last days, each device once a day', async () => {
    const { endpoint, devices, run, on } = await aHome(3);
    await run('1.2.0', [0]);
    await run('1.3.0', [1, 2], devices.slice(0, 2));
    await run('1.4.0', [2], devices.slice(0, 1));
    on(2);

    const { adoption } = await release(endpoint, '1.4.0');

    expect(
      adoption.map(({ deviceCount, comparedDeviceCount, otherDeviceCount }) => [
        ...[deviceCount, comparedDeviceCount, otherDeviceCount],
      ]),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 3],
      [0, 2, 0],
      [1, 1, 0],
    ]);
  });

  it('has a place among its versions, also where it is a date or a branch', async () => {
    const { endpoint, model, at, run, on } = await aHome(1);
    for (const version of ['1.9.0', '1.10.0', '1.10.0-5-gabc1234'])
      await endpoint.fleet.aFirmware(model, { version, uploadedAt: at(-5) });
    await run('main', [0]);
    on(1);
    await run('1.11.0', [1]);

    const { deviceModel } = await endpoint.ask(VERSIONS, { code: 'lamp', first: 10 });

    expect(deviceModel?.versions.map(({ version, comparedTo }) => [version, comparedTo?.version])).toEqual([
      ['1.11.0', 'main'],
      ['main', '1.10.0-5-gabc1234'],
      ['1.10.0-5-gabc1234', '1.10.0'],
      ['1.10.0', '1.9.0'],
      ['1.9.0', undefined],
    ]);
  });

  it('is null for what nobody knows, and names the argument that is wrong', async () => {
    const { endpoint, run } = await aHome(1);
    await run('1.0.0', [0]);

    const none = await endpoint.ask(RELEASE, { modelCode: 'lamp', version: '9.9.9' });
    const nobody = await endpoint.ask(RELEASE, { modelCode: 'nobody', version: '1.0.0' });
    expect([none.release, nobody.release]).toEqual([null, null]);
    const { errors } = await endpoint.send(
      '{ release(modelCode: "lamp", version: "1.0.0", comparedTo: "0.9.0") { version } }',
    );
    expect(errors[0]).toMatchObject({
      message: 'Nothing is known of the version "0.9.0" of this model.',
      extensions: { code: 'BAD_USER_INPUT', field: 'comparedTo' },
    });
  });

  it('needs as many statements for many versions as for one', async () => {
    const { endpoint, run } = await aHome(1);
    await run('1.0.0', [0]);
    const count = async () =>
      (await endpoint.statementsOf(() => endpoint.send(MANY))).filter((sql) => !sql.includes('DeviceModel'))
        .length;
    const before = await count();
    for (const version of ['1.1.0', '1.2.0', '1.3.0']) await run(version, [1]);

    expect(await count()).toBe(before);
  });

  it('counts no device that waits for its approval, or that is of another model now', async () => {
    const { endpoint, devices, run } = await aHome(3);
    await run('1.0.0', [0]);
    const [one, two] = devices;
    if (one === undefined || two === undefined) throw new Error('no devices');
    await endpoint.db.device.update({ where: { id: one.id }, data: { approval: 'PENDING' } });
    await endpoint.fleet.aModel({ code: 'oven' });
    await endpoint.devices.updateDevice(two.id, { modelCode: 'oven' });

    expect((await release(endpoint, '1.0.0')).health).toMatchObject({ deviceCount: 1, bootCount: 1 });
  });
});

const RESOLVE = graphql(`
  mutation ResolveForRelease($input: ResolveCrashGroupInput!) {
    resolveCrashGroup(input: $input) { crashGroup { state } }
  }
`);
const PAGED = graphql(`
  query PagedRelease($change: [ReleaseChange!], $first: Int, $after: String) {
    release(modelCode: "lamp", version: "1.4.0") {
      groups(change: $change, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } edges { change node { title } }
      }
    }
  }
`);
const MANY = `{ deviceModel(code: "lamp") { versions {
  version health { deviceCount } comparison { verdict } runningDeviceCount waitingCoredumpCount firmwares { version }
} } }`;

/** By SQL of its own. */
async function countedAgain({ databaseUrl }: GraphQLEndpoint, version: string) {
  const sql = await openSql(databaseUrl);
  try {
    const [days] = await sql.rows(
      `SELECT count(DISTINCT "deviceId") AS "devices", sum("boots") AS "boots" FROM "DeviceDay"
        WHERE "firmwareVersion" = '${version}'`,
    );
    const [dumps] = await sql.rows(
      `SELECT count(*) AS "crashes" FROM "CrashOccurrence" WHERE "firmwareVersion" = '${version}'`,
    );
    return {
      deviceCount: Number(days?.devices),
      bootCount: Number(days?.boots),
      crashCount: Number(dumps?.crashes),
    };
  } finally {
    await sql.close();
  }
}
