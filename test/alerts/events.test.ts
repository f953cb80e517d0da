import { describe, expect, it } from 'vitest';
import { createAlertWatch } from '../../src/alerts/watch.js';
import type { StorageUse } from '../../src/coredumps/storage-use.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { aRuleInput } from '../support/alert-rule.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const MINUTE = 60_000;
const SILENT = { onNew: false, onRegression: false };

/** An endpoint whose time is set by the test. */
async function anEndpoint() {
  const time = { now: new Date('2026-02-11T14:30:00Z') };
  const endpoint = await aGraphQLEndpoint({ clock: { ...createSystemClock(), now: () => time.now } });
  const pass = (minutes: number) => {
    time.now = new Date(time.now.getTime() + minutes * MINUTE);
  };
  /** A crash now. */
  const crash = (device: { id: number }, options = {}) =>
    aCrash(endpoint, device, { at: time.now, ...options });
  return {
    endpoint,
    time,
    pass,
    crash,
    device: await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'lamp', name: 'Lamp' })),
  };
}

/** What was written for the rules, oldest first. */
async function written({ db }: Pick<GraphQLEndpoint, 'db'>, event: string) {
  const rows = await db.alertDelivery.findMany({ where: { event }, orderBy: { id: 'asc' } });
  return rows.map(({ payload }) => JSON.parse(payload));
}

describe('the first crash of a version', () => {
  it('is told once, whatever its group, to each rule that wants it', async () => {
    const { endpoint, crash, device } = await anEndpoint();
    await endpoint.alerts.create(aRuleInput({ ...SILENT, onNewInVersion: true }));
    await endpoint.alerts.create(aRuleInput({ ...SILENT, onNewInVersion: true, modelCode: 'lamp' }));
    const { groupId } = await crash(device, { version: '1.0.0', place: 'known' });

    await crash(device, { version: '1.0.0', place: 'known' });
    await crash(device, { version: '1.1.0', place: 'known' });
    await crash(device, { version: '1.1.0', place: 'another' });

    const alerts = await written(endpoint, 'NEW_IN_VERSION');
    expect(alerts.map(({ crash: { version } }) => version)).toEqual(['1.0.0', '1.0.0', '1.1.0', '1.1.0']);
    expect(alerts[2]).toMatchObject({
      group: { id: groupId, firmwareVersion: '1.1.0' },
      crash: { model: { code: 'lamp' } },
    });
  });

  it('is also told when its dump cannot be read, and not again when it can', async () => {
    const { endpoint, time, device } = await anEndpoint();
    await endpoint.alerts.create(aRuleInput({ ...SILENT, onNewInVersion: true }));
    const dump = await aPendingDump(endpoint, device, { version: '2.0.0', at: time.now });

    await parsed(endpoint, dump, { status: 'ERROR' });
    await endpoint.state.reset({ id: dump.id });
    await parsed(endpoint, dump, {});

    expect(await written(endpoint, 'NEW_IN_VERSION')).toMatchObject([
      { group: null, crash: { version: '2.0.0', device: { key: device.key } } },
    ]);
  });
});

describe('a crash loop', () => {
  it('is told once, and again only after an hour without a crash', async () => {
    const { endpoint, pass, crash, device } = await anEndpoint();
    await endpoint.alerts.create(aRuleInput({ ...SILENT, loopCrashes: 3 }));
    const loops = async () => (await written(endpoint, 'CRASH_LOOP')).map(({ loopCrashes }) => loopCrashes);

    await crash(device);
    pass(61);
    await crash(device);
    pass(20);
    await crash(device);
    expect(await loops()).toEqual([]);
    pass(20);
    await crash(device);
    expect(await loops()).toEqual([3]);
    for (let count = 0; count < 4; count += 1) {
      pass(40);
      await crash(device);
      await crash(device);
      await crash(device);
    }
    expect(await loops()).toEqual([3]);
    pass(61);
    await crash(device);
    await crash(device);
    await crash(device);

    expect(await loops()).toEqual([3, 3]);
    const [first] = await written(endpoint, 'CRASH_LOOP');
    expect(first).toMatchObject({ crash: { device: { key: device.key } }, group: { count: 4 } });
  });

  it('is of one device: many devices that crash once are none', async () => {
    const { endpoint, crash } = await anEndpoint();
    await endpoint.alerts.create(aRuleInput({ ...SILENT, loopCrashes: 3 }));
    const model = await endpoint.fleet.aModel();

    for (let count = 0; count < 5; count += 1) await crash(await endpoint.fleet.aDevice(model));

    expect(await written(endpoint, 'CRASH_LOOP')).toEqual([]);
  });

  it('does not begin before a device is approved', async () => {
    const { endpoint, crash, device, time } = await anEndpoint();
    await endpoint.alerts.create(aRuleInput({ ...SILENT, loopCrashes: 2, onNewInVersion: true }));
    await endpoint.db.device.update({ where: { id: device.id }, data: { approval: 'PENDING' } });

    for (let count = 0; count < 3; count += 1)
      await parsed(endpoint, await aPendingDump(endpoint, device, { at: time.now }));

    expect(await endpoint.db.alertDelivery.count()).toBe(0);
    await endpoint.db.device.update({ where: { id: device.id }, data: { approval: 'APPROVED' } });
    await crash(device);
    expect(await written(endpoint, 'CRASH_LOOP')).toHaveLength(1);
  });
});

describe('dumps that wait for a build', () => {
  it('are told of after ten minutes, once for each build, in one alert, and again when it is missing again', async () => {
    const { endpoint, time, pass, device } = await anEndpoint();
    const { db, alertWatch } = endpoint;
    await endpoint.alerts.create(aRuleInput({ ...SILENT, onWaitingBuild: true }));
    const waiting = async (version: string, sha: string | null) => {
      const dump = await aPendingDump(endpoint, device, { version, at: time.now });
      await db.coredump.update({
        where: { id: dump.id },
        data: { parseStatus: 'ERROR', parseErrorKind: 'missing_firmware', appElfSha256: sha },
      });
      return dump;
    };
    const told = async () =>
      (await written(endpoint, 'WAITING_BUILD')).map((alert) =>
        alert.waiting.map(
          ({ firmwareVersion, coredumpCount }: { firmwareVersion: string; coredumpCount: number }) =>
            `${firmwareVersion} ${coredumpCount}`,
        ),
      );

    const first = await waiting('1.0.0', 'abcd');
    await waiting('1.0.0', 'abcd');
    await waiting('1.1.0', null);
    await alertWatch.look();
    expect(await told()).toEqual([]);
    pass(10);
    await Promise.all([alertWatch.look(), alertWatch.look()]);
    await alertWatch.look();
    expect(await told()).toEqual([['1.0.0 2', '1.1.0 1']]);

    // It arrives, and is deleted later.
    await db.coredump.updateMany({ where: { appElfSha256: 'abcd' }, data: { parseErrorKind: null } });
    await alertWatch.look();
    await db.coredump.updateMany({ where: { id: first.id }, data: { parseErrorKind: 'lost_firmware' } });
    await alertWatch.look();
    expect(await told()).toEqual([['1.0.0 2', '1.1.0 1'], ['1.0.0 1']]);
  });

  it('of long ago are not told of to a new rule', async () => {
    const { endpoint, time, pass, device } = await anEndpoint();
    const dump = await aPendingDump(endpoint, device, { at: time.now });
    await endpoint.db.coredump.update({
      where: { id: dump.id },
      data: { parseStatus: 'ERROR', parseErrorKind: 'missing_firmware' },
    });
    pass(25 * 60);
    await endpoint.alerts.create(aRuleInput({ ...SILENT, onWaitingBuild: true }));

    await endpoint.alertWatch.look();

    expect(await written(endpoint, 'WAITING_BUILD')).toEqual([]);
  });
});

describe('a storage that is nearly full', () => {
  it('is told of once, until it is well below again', async () => {
    const { endpoint, time } = await anEndpoint();
    await endpoint.alerts.create(aRuleInput({ ...SILENT, storagePercent: 90 }));
    let use: StorageUse = { of: 'LIMIT', usedBytes: 0, limitBytes: 1_000 };
    const watch = createAlertWatch({
      ...{ db: endpoint.db, clock: { now: () => time.now }, wake: () => {} },
      storage: async () => use,
    });
    const look = async (usedBytes: number) => {
      use = { ...use, usedBytes };
      await watch.look();
      return (await written(endpoint, 'STORAGE')).map(({ storage: { percent } }) => percent);
    };

    expect(await look(899)).toEqual([]);
    expect(await look(910)).toEqual([91]);
    expect(await look(990)).toEqual([91]);
    expect(await look(860)).toEqual([91]);
    expect(await look(950)).toEqual([91]);
    expect(await look(840)).toEqual([91]);
    expect(await look(920)).toEqual([91, 92]);
  });

  it('knows the disk of this machine', async () => {
    const { endpoint } = await anEndpoint();
    await endpoint.alerts.create(aRuleInput({ ...SILENT, storagePercent: 1 }));

    await endpoint.alertWatch.look();

    const [alert] = await written(endpoint, 'STORAGE');
    if (alert === undefined) return;
    expect(alert.storage).toMatchObject({ of: 'DISK' });
    expect(alert.storage.usedBytes).toBeLessThanOrEqual(alert.storage.limitBytes);
  });
});
