import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/platform/clock.js';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { ended } from '../support/parsed-dump.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

const REASON = 'a task watchdog reported tasks, and the device ran on.';

/** It takes whatever begins with "E (" for no crash, until it is told otherwise. */
async function aServerWithDoubts() {
  const judge = { takesItForACrash: false };
  const sidecar = await aSidecar(
    ({ coreBytes }, response) => {
      if (coreBytes.toString().startsWith('E (') && !judge.takesItForACrash)
        return answerJson(response, 422, { error: REASON, code: 'NO_CRASH', output: 'said', report: null });
      answerJson(response, 200, {
        output: 'text',
        report: { reason: 'abort() was called at PC 0x42009351' },
      });
    },
    { readsWithoutBuild: true },
  );
  const clock = createSystemClock();
  const app = await aServer(sidecar.environment, { clock });
  const device = await aDevice(app);
  return { app, judge, clock, device };
}

const COUNTS = `{
  device(key: "dev1") { crashCount lastCrashAt coredumpCount }
  crashes(unit: DAY) { count }
  crashFreeDevices { crashedDeviceCount }
  coredumps(filter: { parseErrorKind: [NO_CRASH] }) { totalCount }
}`;

interface Counts {
  device: { crashCount: number; lastCrashAt: string | null; coredumpCount: number };
  crashes: Array<{ count: number }>;
  crashFreeDevices: Array<{ crashedDeviceCount: number }>;
  coredumps: { totalCount: number };
}

/** What people see of crashes everywhere. */
async function countsOf(app: TestApp) {
  const { device, crashes, crashFreeDevices, coredumps } = await app.graphql<Counts>(COUNTS);
  return {
    crashCount: device.crashCount,
    hasLastCrash: device.lastCrashAt !== null,
    stored: device.coredumpCount,
    noCrashes: coredumps.totalCount,
    inSeries: crashes.reduce((sum, { count }) => sum + count, 0),
    crashedDevices: crashFreeDevices.reduce((sum, { crashedDeviceCount }) => sum + crashedDeviceCount, 0),
  };
}

const NONE = { crashCount: 0, hasLastCrash: false, inSeries: 0, crashedDevices: 0 };
const ONE = { crashCount: 1, hasLastCrash: true, inSeries: 1, crashedDevices: 1 };

describe('a text that is no crash', () => {
  it('ends with a sentence that says why, and is counted nowhere', async () => {
    const { app } = await aServerWithDoubts();

    const { coredumpId } = await stored(app, 'E (1) a note of another format');
    const { parseStatus, parsedOutput, report } = await ended(app, coredumpId);

    expect({ parseStatus, parsedOutput, report }).toEqual({
      parseStatus: 'ERROR',
      parsedOutput: `This is no crash: ${REASON}`,
      report: null,
    });
    expect(await countsOf(app)).toEqual({ ...NONE, stored: 1, noCrashes: 1 });
  });

  it('leaves the last crash of its device what it was', async () => {
    const { app } = await aServerWithDoubts();
    const { coredumpId: crash } = await stored(app, 'a dump');
    await ended(app, crash);
    const lastOf = async () =>
      (await app.graphql<Counts>('{ device(key: "dev1") { lastCrashAt crashCount } }')).device;
    const before = await lastOf();

    const { coredumpId } = await stored(app, 'E (1) a note of another format');
    await ended(app, coredumpId);

    expect(await lastOf()).toEqual(before);
  });

  it('stays none when it is deleted, and when its device is', async () => {
    const { app, device } = await aServerWithDoubts();
    const { coredumpId: crash } = await stored(app, 'a dump');
    await ended(app, crash);
    for (const text of ['E (1) a', 'E (2) b']) await ended(app, (await stored(app, text)).coredumpId);
    const { coredumps } = await app.graphql<{ coredumps: { nodes: Array<{ id: string }> } }>(
      '{ coredumps(filter: { parseErrorKind: [NO_CRASH] }) { nodes { id } } }',
    );

    await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
      id: coredumps.nodes[0]?.id,
    });
    expect(await countsOf(app)).toEqual({ ...ONE, stored: 2, noCrashes: 1 });

    await app.graphql('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }', {
      id: device.id,
    });
    const { crashes } = await app.graphql<Counts>('{ crashes(unit: DAY) { count } }');
    expect(crashes.reduce((sum, { count }) => sum + count, 0)).toBe(1);
  });

  it('is counted once when a later reader takes it for a crash, and not when it does so no more', async () => {
    const { app, judge } = await aServerWithDoubts();
    const { coredumpId: id } = await stored(app, 'E (1) a note of another format');
    await ended(app, id);
    const again = async () => {
      await app.graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', {
        id,
      });
      return ended(app, id);
    };

    expect((await again()).report).toBeNull();
    expect(await countsOf(app)).toEqual({ ...NONE, stored: 1, noCrashes: 1 });

    judge.takesItForACrash = true;
    expect((await again()).report).not.toBeNull();
    expect(await countsOf(app)).toEqual({ ...ONE, stored: 1, noCrashes: 0 });

    judge.takesItForACrash = false;
    expect((await again()).report).toBeNull();
    // As after every parse that fails, what was counted stays counted.
    expect(await countsOf(app)).toEqual({ ...ONE, stored: 1, noCrashes: 1 });
  });

  it('is none of a device that is approved later', async () => {
    const { app } = await aServerWithDoubts();
    const { createIngestKey } = await app.graphql<{ createIngestKey: { key: string } }>(
      'mutation { createIngestKey(input: { modelCode: "thermostat", name: "a", requiresApproval: true }) { key } }',
    );
    const query = 'chip=esp32c3&firmware_version=1.0.0&device_serial=SN-1';
    const response = await fetch(`${app.url}/api/iot/coredump?${query}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${createIngestKey.key}` },
      body: 'E (1) a note of another format',
    });
    expect(response.status).toBe(201);
    const { coredumpId } = (await response.json()) as { coredumpId: string };
    await ended(app, coredumpId);
    const { devices } = await app.graphql<{ devices: { nodes: Array<{ id: string }> } }>(
      '{ devices(filter: { serial: ["SN-1"] }) { nodes { id } } }',
    );

    await app.graphql('mutation ($id: ID!) { approveDevice(input: { id: $id }) { device { id } } }', {
      id: devices.nodes[0]?.id,
    });

    const { crashes } = await app.graphql<Counts>('{ crashes(unit: DAY) { count } }');
    expect(crashes.reduce((sum, { count }) => sum + count, 0)).toBe(0);
  });

  it('makes no crash loop of a device', async () => {
    const { app } = await aServerWithDoubts();
    await app.graphql(
      `mutation { createAlertRule(input: { name: "loops", format: GENERIC, url: "https://example.org/", onNew: false, onRegression: false, loopCrashes: 3 }) { alertRule { id } } }`,
    );
    for (const text of ['E (1) a', 'E (2) b', 'a dump', 'E (3) c'])
      await ended(app, (await stored(app, text)).coredumpId);
    const deliveries = async () =>
      (
        await app.graphql<{ alertRules: { nodes: Array<{ deliveries: { totalCount: number } }> } }>(
          '{ alertRules { nodes { deliveries { totalCount } } } }',
        )
      ).alertRules.nodes[0]?.deliveries.totalCount;
    const before = await deliveries();

    for (const text of ['another dump', 'a third dump'])
      await ended(app, (await stored(app, text)).coredumpId);
    await eventually(async () => (await deliveries()) === (before ?? 0) + 1, 'the loop is told');

    expect(before).toBe(0);
  });
});
