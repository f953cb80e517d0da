import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BootReport } from '../../src/devices/boot-counters.js';
import { dayOf, forgetDeviceDays } from '../../src/devices/device-days.js';
import { createSystemClock } from '../../src/platform/clock.js';
import { graphql } from '../generated/gql.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';

const HEALTHS = graphql(`
  query BootsOfVersions($code: String!) {
    deviceModel(code: $code) {
      silentDeviceCount
      adoption(days: 3) { start versions { version deviceCount } }
      versions(first: 10) {
        version
        silentDeviceCount
        comparison { verdict reason }
        resets(days: 3) { start resets { reason count } }
        health {
          deviceCount crashedDeviceCount crashCount bootCount reportingDeviceCount deviceDayCount crashFreeShare
          crashesPerDeviceDay crashResetCount powerResetCount unreportedCrashCount
          sessionCount crashedSessionCount timedSessionCount sessionSeconds crashFreeSessionShare
          resets { reason kind count }
        }
      }
    }
  }
`);
const SUMMARY = graphql(`
  query BootSummary($days: Int, $models: [String!]) {
    boots(days: $days, modelCode: $models) {
      deviceCount bootCount crashResetCount powerResetCount unreportedCrashCount unreportedCrashDeviceCount
      resets { reason count }
    }
  }
`);
const TIMELINE = graphql(`
  query Timeline($key: String!, $first: Int, $before: DateTime) {
    device(key: $key) {
      lastBootAt lastBootUptimeSeconds lastBootCrashPending lastBootFirmware { elfSha256 version }
      timeline(first: $first, before: $before) {
        start startedVersions
        versions { version bootCount crashCount resets { reason count } }
        coredumps { id kind }
      }
    }
  }
`);
const DEVICES = graphql(`
  query DevicesByBoots($filter: DeviceFilter) { devices(filter: $filter) { totalCount nodes { key } } }
`);
const CRASH_FREE = graphql(`query CrashFreeByBoots { crashFreeDevices { crashedDeviceCount } }`);

const TODAY = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A server whose time the test sets. */
async function aHome() {
  let now = new Date(TODAY);
  const endpoint = await aGraphQLEndpoint({ clock: { ...createSystemClock(), now: () => now } });
  const model = await endpoint.fleet.aModel({ code: 'lamp' });
  return {
    endpoint,
    model,
    aDevice: () => endpoint.fleet.aDevice(model),
    now: () => now,
    at(hours: number) {
      now = new Date(TODAY + hours * HOUR);
    },
    boot: (device: { id: number; key: string }, report: Partial<BootReport> = {}) =>
      endpoint.boots.record(device, { ...BOOT, ...report }),
  };
}

const BOOT: BootReport = {
  ...{ firmwareVersion: '1.0.0', chip: null, elfSha256: null },
  ...{ resetReason: 'poweron', uptimeSeconds: 0, crashPending: null },
};

async function versionsOf(endpoint: GraphQLEndpoint, code = 'lamp') {
  const { deviceModel } = await endpoint.ask(HEALTHS, { code });
  if (deviceModel === null) throw new Error('no model');
  return deviceModel;
}

async function healthOf(endpoint: GraphQLEndpoint, version: string) {
  const { versions } = await versionsOf(endpoint);
  const found = versions.find((each) => each.version === version);
  if (found === undefined) throw new Error(`no version ${version}`);
  return found.health;
}

describe('boots', () => {
  it('show brownouts, watchdogs and lockups of a version, also without a dump', async () => {
    const { endpoint, aDevice, boot } = await aHome();
    const device = await aDevice();
    const reasons = [
      'poweron',
      'brownout',
      'int_wdt',
      'cpu_lockup',
      'pwr_glitch',
      'brownout',
      'sw',
      'zap',
      'zip',
    ];
    for (const resetReason of reasons) await boot(device, { resetReason });

    expect(await healthOf(endpoint, '1.0.0')).toMatchObject({
      ...{ bootCount: 9, crashResetCount: 2, powerResetCount: 3, unreportedCrashCount: 2, crashCount: 0 },
      ...{ sessionCount: 8, crashedSessionCount: 2, crashFreeSessionShare: 0.75 },
      resets: [
        { reason: 'BROWNOUT', kind: 'POWER', count: 2 },
        { reason: 'OTHER', kind: 'NORMAL', count: 2 },
        { reason: 'POWERON', kind: 'NORMAL', count: 1 },
        { reason: 'SW', kind: 'NORMAL', count: 1 },
        { reason: 'INT_WDT', kind: 'CRASH', count: 1 },
        { reason: 'PWR_GLITCH', kind: 'POWER', count: 1 },
        { reason: 'CPU_LOCKUP', kind: 'CRASH', count: 1 },
      ],
    });
  });

  it('say that a device crashed of which no dump came', async () => {
    const { endpoint, aDevice, boot } = await aHome();
    const devices = [await aDevice(), await aDevice(), await aDevice(), await aDevice()];
    for (const device of devices) await boot(device);
    const [silent, sent] = devices;
    if (silent === undefined || sent === undefined) throw new Error('no device');
    await boot(silent, { resetReason: 'panic' });
    await boot(sent, { resetReason: 'panic', uptimeSeconds: 7 });
    await aCrash(endpoint, sent, { version: '1.0.0', at: new Date(TODAY) });

    expect(await healthOf(endpoint, '1.0.0')).toMatchObject({
      ...{
        deviceCount: 4,
        crashedDeviceCount: 2,
        crashFreeShare: 0.5,
        crashCount: 1,
        unreportedCrashCount: 1,
      },
      crashesPerDeviceDay: 0.5,
    });
    const { devices: found } = await endpoint.ask(DEVICES, { filter: { unreportedCrashDays: 7 } });
    expect(found.nodes.map(({ key }) => key)).toEqual([silent.key]);
    const { boots } = await endpoint.ask(SUMMARY, { days: 1, models: ['lamp'] });
    expect(boots).toMatchObject({
      ...{ deviceCount: 4, bootCount: 6, crashResetCount: 2 },
      ...{ unreportedCrashCount: 1, unreportedCrashDeviceCount: 1 },
    });
  });

  it('make days on which a device crashed, once beside a crash that arrives', async () => {
    const home = await aHome();
    const [silent, loud, fine] = [await home.aDevice(), await home.aDevice(), await home.aDevice()];
    await home.boot(fine);
    await home.boot(silent, { resetReason: 'panic' });
    await aCrash(home.endpoint, loud, { at: home.now() });
    await home.boot(loud, { resetReason: 'int_wdt' });
    home.at(24);
    await home.boot(silent, { resetReason: 'brownout', uptimeSeconds: 9 });

    const { crashFreeDevices } = await home.endpoint.ask(CRASH_FREE, {});

    expect(crashFreeDevices.slice(-2)).toMatchObject([{ crashedDeviceCount: 2 }, { crashedDeviceCount: 0 }]);
  });

  it('end a run of the version that ran, also after an update that failed', async () => {
    const { endpoint, aDevice, boot } = await aHome();
    const device = await aDevice();
    await boot(device);
    await boot(device, { firmwareVersion: '2.0.0', resetReason: 'sw', uptimeSeconds: 100 });
    await boot(device, { firmwareVersion: '1.0.0', resetReason: 'task_wdt', uptimeSeconds: 20 });

    expect(await healthOf(endpoint, '2.0.0')).toMatchObject({
      ...{ bootCount: 1, sessionCount: 1, crashedSessionCount: 1, sessionSeconds: 20, timedSessionCount: 1 },
      ...{ crashFreeSessionShare: 0, crashFreeShare: 0 },
    });
    expect(await healthOf(endpoint, '1.0.0')).toMatchObject({
      ...{ bootCount: 2, sessionCount: 1, crashedSessionCount: 0, sessionSeconds: 100, crashFreeShare: 1 },
    });
  });

  it('that are reported again are counted once, and the time since the boot stays', async () => {
    const { endpoint, aDevice, boot, at } = await aHome();
    const device = await aDevice();
    await boot(device, { resetReason: 'panic', uptimeSeconds: 7200, crashPending: true });
    at(0.5);
    await boot(device, { resetReason: 'panic', uptimeSeconds: 7200, crashPending: false });
    at(2);
    await boot(device, { resetReason: 'panic', uptimeSeconds: 7200, crashPending: true });
    await Promise.all([1, 2].map(() => boot(device, { resetReason: 'sw', uptimeSeconds: 60 })));

    expect(await healthOf(endpoint, '1.0.0')).toMatchObject({
      bootCount: 3,
      crashResetCount: 2,
      sessionCount: 2,
    });
    const { device: shown } = await endpoint.ask(TIMELINE, { key: device.key });
    expect(shown).toMatchObject({
      ...{ lastBootAt: '2026-11-20T14:00:00.000Z', lastBootUptimeSeconds: 60, lastBootCrashPending: null },
    });
  });

  it('of 50 devices leave counters and nothing else, however many they are', async () => {
    const { endpoint, aDevice, boot } = await aHome();
    const devices = await Promise.all(Array.from({ length: 50 }, aDevice));
    const report = (n: number) => ({
      resetReason: n % 3 === 0 ? 'panic' : `made_up_${n % 977}`,
      uptimeSeconds: n,
    });
    const rows = async () => {
      const { db } = endpoint;
      return [
        await db.deviceDay.count(),
        await db.device.count(),
        await db.change.count(),
        await db.auditEvent.count(),
      ];
    };
    await Promise.all(devices.map((device, n) => boot(device, report(n))));
    const before = await rows();

    for (let n = 50; n < 10_000; n += 1_000) {
      await Promise.all(
        Array.from({ length: Math.min(1_000, 10_000 - n) }, (_, at) => {
          const device = devices[(n + at) % 50];
          return device === undefined ? null : boot(device, report(n + at));
        }),
      );
    }

    expect(await rows()).toEqual(before);
    expect(before[0]).toBe(50);
    const { boots } = await endpoint.ask(SUMMARY, { days: 1 });
    expect(boots).toMatchObject({ bootCount: 10_000, crashResetCount: 3_334 });
    expect(await forgetDeviceDays(endpoint.db, new Date(TODAY + 180 * DAY))).toBe(50);
  });

  it('of a device that makes versions up stop to be counted, and others go on', async () => {
    const { endpoint, aDevice, boot } = await aHome();
    const [device, other] = [await aDevice(), await aDevice()];
    for (let n = 0; n < 200; n += 1) await boot(device, { firmwareVersion: `1.0.${n}` });
    await boot(other, { firmwareVersion: '9.0.0' });

    const versions = await endpoint.db.deviceDay.count({ where: { deviceId: device.id } });
    expect(versions).toBeGreaterThan(20);
    expect(versions).toBeLessThan(60);
    expect(await healthOf(endpoint, '9.0.0')).toMatchObject({ bootCount: 1 });
  });
});

describe('silent devices', () => {
  it('reported boots once, and were not heard of for some days', async () => {
    const { endpoint, aDevice, boot, at } = await aHome();
    const [gone, here, never, rejected] = [
      await aDevice(),
      await aDevice(),
      await aDevice(),
      await aDevice(),
    ];
    for (const device of [gone, here, rejected]) await boot(device);
    await endpoint.db.device.update({ where: { id: rejected.id }, data: { approval: 'REJECTED' } });
    // Uploads, and no boots.
    await endpoint.db.device.update({ where: { id: never.id }, data: { lastSeenAt: new Date(TODAY) } });
    at(4 * 24);
    await boot(here, { firmwareVersion: '2.0.0' });
    at(8 * 24);

    const { devices } = await endpoint.ask(DEVICES, {
      filter: { silentForDays: 7, runningVersion: ['1.0.0'] },
    });
    expect(devices.nodes.map(({ key }) => key)).toEqual([gone.key]);
    const shown = await versionsOf(endpoint);
    expect(shown.silentDeviceCount).toBe(1);
    expect(shown.versions.map(({ version, silentDeviceCount }) => [version, silentDeviceCount])).toEqual([
      ['2.0.0', 0],
      ['1.0.0', 1],
    ]);
    for (const filter of [{ silentForDays: 0 }, { silentForDays: 366 }, { unreportedCrashDays: 181 }]) {
      const { errors } = await endpoint.send(
        'query ($filter: DeviceFilter) { devices(filter: $filter) { totalCount } }',
        { filter },
      );
      expect(errors[0]?.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        field: `filter.${Object.keys(filter)[0]}`,
      });
    }
  });
});

describe('a verdict', () => {
  it('sees crashes of which no dump came', async () => {
    const { endpoint, aDevice, boot, at } = await aHome();
    const devices = await Promise.all(Array.from({ length: 6 }, aDevice));
    for (const [from, firmwareVersion] of [
      [0, '1.0.0'],
      [5, '1.1.0'],
    ] as const) {
      for (let day = from; day < from + 5; day += 1) {
        at(day * 24);
        const resetReason = firmwareVersion === '1.1.0' && day > from ? 'task_wdt' : 'sw';
        for (const device of devices)
          await boot(device, { firmwareVersion, resetReason, uptimeSeconds: 80_000 });
      }
    }

    const { versions } = await versionsOf(endpoint);
    expect(versions[0]).toMatchObject({
      version: '1.1.0',
      comparison: { verdict: 'WORSE', reason: '0.800 crashes per device and day, 0.000 in 1.0.0.' },
    });
    // Days of a release that knew no reasons.
    await endpoint.db.deviceDay.updateMany({
      where: { firmwareVersion: '1.0.0' },
      data: { resetSw: 0, runs: 0 },
    });
    expect((await versionsOf(endpoint)).versions[0]?.comparison.verdict).toBe('SIMILAR');
  });
});

describe('the timeline of a device', () => {
  it('has boots, reasons, versions and crashes of each day, the newest first, in pages', async () => {
    const { endpoint, model, aDevice, boot, at, now } = await aHome();
    const device = await aDevice();
    const build = await endpoint.fleet.aFirmware(model, {
      version: '1.1.0',
      elfSha256: 'abcdef012'.padEnd(64, '0'),
    });
    await boot(device);
    await boot(device, { resetReason: 'brownout' });
    at(24);
    const { dump } = await aCrash(endpoint, device, { version: '1.0.0', at: now() });
    at(72);
    await boot(device, {
      firmwareVersion: '1.1.0',
      elfSha256: 'abcdef012',
      resetReason: 'panic',
      uptimeSeconds: 5,
    });
    const first = await endpoint.ask(TIMELINE, { key: device.key, first: 2 });
    const before = first.device?.timeline.at(-1)?.start ?? null;
    const rest = await endpoint.ask(TIMELINE, { key: device.key, first: 2, before });

    expect(first.device?.lastBootFirmware).toEqual({ elfSha256: build.elfSha256, version: '1.1.0' });
    expect(first.device?.timeline).toEqual([
      {
        start: '2026-11-23T00:00:00.000Z',
        startedVersions: ['1.1.0'],
        versions: [
          { version: '1.1.0', bootCount: 1, crashCount: 0, resets: [] },
          { version: '1.0.0', bootCount: 0, crashCount: 0, resets: [{ reason: 'PANIC', count: 1 }] },
        ],
        coredumps: [],
      },
      {
        start: '2026-11-21T00:00:00.000Z',
        startedVersions: [],
        versions: [{ version: '1.0.0', bootCount: 0, crashCount: 1, resets: [] }],
        coredumps: [{ id: dump.globalId, kind: 'CORE_DUMP' }],
      },
    ]);
    expect(rest.device?.timeline).toEqual([
      {
        start: '2026-11-20T00:00:00.000Z',
        startedVersions: ['1.0.0'],
        versions: [
          {
            ...{ version: '1.0.0', bootCount: 2, crashCount: 0 },
            resets: [
              { reason: 'POWERON', count: 1 },
              { reason: 'BROWNOUT', count: 1 },
            ],
          },
        ],
        coredumps: [],
      },
    ]);
  });

  it('takes the same statements for any number of devices', async () => {
    const { endpoint, aDevice, boot } = await aHome();
    const ask = () =>
      endpoint.statementsOf(() =>
        endpoint.send(`{ devices(first: 100) { nodes {
          lastBootFirmware { version } timeline(first: 2) { start versions { version } coredumps { filename } } } } }`),
      );
    const grow = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        const device = await aDevice();
        await boot(device);
        await aPendingDump(endpoint, device, { at: new Date(TODAY) });
      }
      return (await ask()).length;
    };

    expect(await grow(1)).toBe(await grow(9));
  });
});

const RUNS = Number(process.env.BOOT_RUNS ?? 30);
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0'];
const REASONS = ['poweron', 'panic', 'task_wdt', 'brownout', 'sw', 'made_up'];
const CRASHES = ['panic', 'int_wdt', 'task_wdt', 'wdt', 'cpu_lockup'];

const STEP = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('boot' as const),
      device: fc.nat(2),
      version: fc.constantFrom(...VERSIONS),
      reason: fc.constantFrom(...REASONS),
      uptime: fc.option(fc.nat(50_000)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('again' as const), device: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('crash' as const),
      device: fc.nat(2),
      version: fc.constantFrom(...VERSIONS),
      isRead: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('later' as const), seconds: fc.nat(90_000) }) },
);

interface Boot {
  device: number;
  version: string;
  reason: string;
  uptime: number | null;
  /** In seconds. */
  at: number;
}

describe('what is counted', () => {
  it('is what a naive recount of all boots, crashes and versions says', async () => {
    const { endpoint, at, boot, now } = await aHome();

    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 1, maxLength: 25 }), async (steps) => {
        at(0);
        const model = await endpoint.fleet.aModel();
        const devices = [0, 1, 2].map(() => endpoint.fleet.aDevice(model));
        const [boots, crashes]: [Boot[], Array<{ device: number; version: string; day: number }>] = [[], []];
        let seconds = 0;
        const send = async ({ device, version, reason, uptime }: Omit<Boot, 'at'>) => {
          const row = await (devices[device] as (typeof devices)[number]);
          const last = boots.filter((each) => each.device === device).at(-1);
          // Written down in another way than the service does it: half of the run, or a minute.
          const isAgain =
            last !== undefined &&
            JSON.stringify([last.version, last.reason, last.uptime]) ===
              JSON.stringify([version, reason, uptime]) &&
            seconds - last.at < (uptime === null ? 60 : uptime / 2);
          if (!isAgain) boots.push({ device, version, reason, uptime, at: seconds });
          await boot(row, { firmwareVersion: version, resetReason: reason, uptimeSeconds: uptime });
        };
        for (const step of steps) {
          if (step.what === 'later') {
            seconds += step.seconds;
            at(seconds / 3600);
          } else if (step.what === 'boot') await send(step);
          else if (step.what === 'again') {
            const last = boots.filter(({ device }) => device === step.device).at(-1);
            if (last !== undefined) await send(last);
          } else {
            const row = await (devices[step.device] as (typeof devices)[number]);
            const options = { version: step.version, at: now() };
            if (step.isRead) await aCrash(endpoint, row, options);
            else await parsed(endpoint, await aPendingDump(endpoint, row, options), { status: 'ERROR' });
            crashes.push({ device: step.device, version: step.version, day: dayOf(now()) });
          }
        }

        const shown = await versionsOf(endpoint, model.code);

        for (const version of VERSIONS) {
          const health = shown.versions.find((each) => each.version === version)?.health;
          const expected = naive(version, boots, crashes);
          if (expected === null) expect(health).toBeUndefined();
          else expect(health).toMatchObject(expected);
        }
        const { boots: summary } = await endpoint.ask(SUMMARY, { days: 180, models: [model.code] });
        expect(summary?.bootCount).toBe(boots.length);
        expect((summary?.resets ?? []).reduce((sum, { count }) => sum + count, 0)).toBe(boots.length);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );

    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });
});

/** Everything from the list of what happened, for one version; null: nothing is known of it. */
function naive(
  version: string,
  boots: readonly Boot[],
  crashes: ReadonlyArray<{ device: number; version: string; day: number }>,
) {
  const ended = boots.map((boot, index) => {
    const last = boots.slice(0, index).findLast(({ device }) => device === boot.device);
    return { ...boot, ran: last?.version ?? boot.version, isRun: last !== undefined };
  });
  const own = {
    boots: boots.filter((boot) => boot.version === version),
    ended: ended.filter(({ ran }) => ran === version),
    crashes: crashes.filter((crash) => crash.version === version),
  };
  const dayAt = (seconds: number) => dayOf(new Date(TODAY + seconds * 1000));
  const isCrash = ({ reason }: Boot) => CRASHES.includes(reason);
  const heard = new Set([...own.boots, ...own.ended, ...own.crashes].map(({ device }) => device));
  if (heard.size === 0) return null;
  const reporting = new Set([...own.boots, ...own.ended].map(({ device }) => device));
  const crashed = new Set([...own.crashes, ...own.ended.filter(isCrash)].map(({ device }) => device));
  const days = new Set(
    [
      ...[...own.boots, ...own.ended].map(({ device, at }) => ({ device, day: dayAt(at) })),
      ...own.crashes.filter(({ device }) => reporting.has(device)),
    ].map(({ device, day }) => `${device} ${day}`),
  );
  const runs = own.ended.filter(({ isRun }) => isRun);
  const timed = runs.filter(({ uptime }) => uptime !== null);
  const unreported = [...reporting].map((device) => {
    const resets = own.ended.filter((boot) => boot.device === device && isCrash(boot)).length;
    return Math.max(0, resets - own.crashes.filter((crash) => crash.device === device).length);
  });
  const crashFree = [...reporting].filter((device) => !crashed.has(device)).length;
  return {
    deviceCount: heard.size,
    crashedDeviceCount: crashed.size,
    crashCount: own.crashes.length,
    bootCount: own.boots.length,
    reportingDeviceCount: reporting.size,
    deviceDayCount: days.size,
    crashFreeShare: reporting.size === 0 ? null : expect.closeTo(crashFree / reporting.size, 9),
    crashResetCount: own.ended.filter(isCrash).length,
    powerResetCount: own.ended.filter(({ reason }) => reason === 'brownout').length,
    unreportedCrashCount: unreported.reduce((sum, count) => sum + count, 0),
    sessionCount: runs.length,
    crashedSessionCount: runs.filter(isCrash).length,
    timedSessionCount: timed.length,
    sessionSeconds: timed.reduce((sum, { uptime }) => sum + (uptime ?? 0), 0),
  };
}
