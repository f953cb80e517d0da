import { describe, expect, it } from 'vitest';
import { aDevice, aServer, bearer, errorOf, type TestApp } from '../support/app.js';
import { anIngestKey, boot, devicesOf } from '../support/enrolment.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

const REPORT = {
  firmware_version: '1.2.3+build5',
  chip: 'esp32s3',
  elf_sha256: 'DEADbeef01',
  reset_reason: 'task_wdt',
  uptime_s: '3600',
  crash_pending: 'false',
};

const STORED = {
  lastBootVersion: '1.2.3+build5',
  lastBootChip: 'esp32s3',
  lastBootElfSha256: 'deadbeef01',
  lastResetReason: 'task_wdt',
  lastBootUptimeSeconds: 3600,
};

describe('a boot report', () => {
  it('is stored on its device, as the last one', async () => {
    const app = await aServer();
    await aDevice(app);

    const response = await boot(app, { device_key: 'dev1', ...REPORT });

    expect([response.status, await response.text()]).toEqual([204, '']);
    const first = await lastBoot(app);
    expect(first).toMatchObject(STORED);
    expect(first.lastSeenAt).toBe(first.lastBootAt);

    await boot(app, { device_key: 'dev1', firmware_version: '2.0.0' });
    expect(await lastBoot(app)).toMatchObject({
      lastBootVersion: '2.0.0',
      lastResetReason: null,
      lastBootElfSha256: null,
    });
  });

  it('may be JSON, with a number, a boolean and what a later version adds', async () => {
    const app = await aServer();
    await aDevice(app);
    const body = {
      ...REPORT,
      device_key: 'dev1',
      // As JavaScript and Python print a quotient.
      uptime_s: 3600.123456789012,
      crash_pending: true,
      heap: { free: 1 },
      rssi: null,
    };

    expect((await boot(app, {}, { body })).status).toBe(204);

    expect(await lastBoot(app)).toMatchObject({ ...STORED, lastBootCrashPending: true });
  });

  it('registers a device by its ingest key and serial', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { key } = await anIngestKey(app);

    const response = await boot(app, { device_serial: 'SN1', ...REPORT }, { token: key });

    expect(response.status).toBe(204);
    const [device] = await devicesOf(app);
    expect(device).toMatchObject({ serial: 'SN1', approval: 'APPROVED', coredumpCount: 0 });
    expect(await lastBoot(app, device?.key)).toMatchObject(STORED);
  });

  it('comes with the token of its device', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);

    expect((await boot(app, REPORT, { token })).status).toBe(204);
    expect((await boot(app, { device_key: 'dev1', ...REPORT })).status).toBe(401);
    expect((await boot(app, REPORT, { token: ADMIN })).status).toBe(403);
    expect(await lastBoot(app)).toMatchObject(STORED);
  });

  it.each([
    ['no version', { firmware_version: undefined }, 'firmware_version is missing'],
    ['a path as version', { firmware_version: '../1' }, 'firmware_version must be'],
    ['a chip that is none', { chip: 'esp 32/' }, 'chip must be'],
    ['a hash that is none', { elf_sha256: 'xyz' }, 'elf_sha256 must be 1 to 64 hexadecimal digits'],
    ['a hash that is too long', { elf_sha256: 'a'.repeat(65) }, 'elf_sha256 must be'],
    [
      'ESP-IDF’s own name',
      { reset_reason: 'ESP_RST_POWERON' },
      'reset_reason must be ESP-IDF’s name without ESP_RST_',
    ],
    ['a time that is none', { uptime_s: '-1' }, 'uptime_s must be'],
    ['neither true nor false', { crash_pending: 'maybe' }, 'crash_pending must be true or false'],
  ])('with %s is refused with a reason, and changes nothing', async (_, wrong, message) => {
    const app = await aServer();
    await aDevice(app);
    const body = { ...REPORT, device_key: 'dev1', ...wrong };

    expect(await errorOf(await boot(app, {}, { body }))).toMatchObject({
      status: 400,
      message: expect.stringContaining(message),
    });
    expect(await lastBoot(app)).toMatchObject({ lastBootAt: null, lastSeenAt: null });
  });

  it.each([
    ['no JSON', 'poweron', 400, 'not a JSON object'],
    ['a list', '[1]', 400, 'not a JSON object'],
    ['an object in a text’s place', '{"chip":{}}', 400, 'chip must be a text'],
    ['a serial that is a number', '{"device_serial":12345678901234567891}', 400, 'a text, in quotes'],
    ['a version that is a number', '{"firmware_version":1.10}', 400, 'a text, in quotes'],
    ['a version with a blank', '{"firmware_version":"1 2"}', 400, 'without blanks'],
    ['a parameter twice', '{"firmware_version":"2"}', 400, 'given more than once'],
    ['more than 4 KiB', JSON.stringify({ note: 'x'.repeat(4096) }), 413, 'at most 4096 bytes'],
  ])('with %s as its body is refused', async (_, body, status, message) => {
    const app = await aServer();
    await aDevice(app);

    const response = await boot(app, { device_key: 'dev1', firmware_version: '1' }, { body });

    expect(await errorOf(response)).toMatchObject({ status, message: expect.stringContaining(message) });
  });

  it('of zeros names no build', async () => {
    const app = await aServer();
    await aDevice(app);

    await boot(app, { device_key: 'dev1', firmware_version: '1', elf_sha256: '0000000000' });

    expect(await lastBoot(app)).toMatchObject({ lastBootElfSha256: null });
  });

  it('whose time cannot be true, or is none, is stored without it', async () => {
    const app = await aServer();
    await aDevice(app);

    await boot(app, { device_key: 'dev1', ...REPORT, uptime_s: '4294967295' });

    expect(await lastBoot(app)).toMatchObject({ ...STORED, lastBootUptimeSeconds: null });
    expect(await lastBoot(app)).toMatchObject({ lastBootCrashPending: false });
  });

  it('is refused with a time from a device that sends one after the other', async () => {
    const app = await aServer();
    await aDevice(app);
    const reports = await Promise.all(
      Array.from({ length: 31 }, () => boot(app, { device_key: 'dev1', firmware_version: '1' })),
    );

    const refused = reports.filter(({ status }) => status !== 204);

    expect(refused.map(({ status }) => status)).toEqual([429]);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('of a fleet that starts at once reaches every device', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { key } = await anIngestKey(app, { newDevicesPerHour: 1000 });

    const reports = await Promise.all(
      Array.from({ length: 150 }, (_, n) =>
        boot(app, { device_serial: `SN${n}`, firmware_version: `1.0.${n}` }, { token: key }),
      ),
    );

    expect(new Set(reports.map(({ status }) => status))).toEqual(new Set([204]));
    const { devices } = await app.graphql<{
      devices: { nodes: Array<{ serial: string; lastBootVersion: string }> };
    }>('{ devices(first: 200) { nodes { serial lastBootVersion } } }');
    expect(devices.nodes).toHaveLength(150);
    for (const { serial, lastBootVersion } of devices.nodes)
      expect(lastBootVersion).toBe(`1.0.${serial.slice(2)}`);
  });

  it('is counted', async () => {
    const app = await aServer();
    await aDevice(app);
    await boot(app, { device_key: 'dev1', firmware_version: '1' });
    await boot(app, { device_key: 'nobody', firmware_version: '1' });

    const metrics = await (await fetch(`${app.url}/metrics`, { headers: bearer(undefined) })).text();

    expect(metrics).toContain('iot_boot_reports_total{status="success"} 1');
    expect(metrics).toContain('iot_boot_reports_total{status="error"} 1');
  });
});

interface LastBoot {
  lastSeenAt: string | null;
  lastBootAt: string | null;
}

async function lastBoot(app: TestApp, key = 'dev1'): Promise<LastBoot> {
  const { device } = await app.graphql<{ device: LastBoot }>(
    `query ($key: String!) { device(key: $key) {
      lastSeenAt lastBootAt lastBootVersion lastBootChip lastBootElfSha256 lastResetReason lastBootUptimeSeconds
      lastBootCrashPending } }`,
    { key },
  );
  return device;
}
