import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDeviceBlock } from '../../src/crashdump/core/device-block.js';
import { DumpMemory } from '../../src/crashdump/core/memory.js';
import { buildForHost, hasGcc } from './support/build-device.js';
import { aBuiltServer, type BuiltServer, registerDevices } from './support/built-server.js';
import { aFaultProxy } from './support/fault-proxy.js';
import { aDumpImage, aHostDevice, type Device } from './support/run-device.js';

describe.skipIf(!hasGcc)('who the device says it is (needs gcc)', () => {
  let server: BuiltServer;
  beforeAll(async () => {
    await buildForHost({ name: 'device' });
    server = await aBuiltServer();
    await registerDevices(server, 'thermostat', ['known']);
  });
  afterAll(() => server?.close());

  const aDevice = (environment: Record<string, string>): Promise<Device> =>
    aHostDevice({
      folder: server.folder,
      environment: {
        DEVICE_URL: server.url,
        DEVICE_SPEED: '400',
        DEVICE_PATIENCE_MS: '8000000',
        ...environment,
      },
    });

  async function blockOf(device: Device, environment: Record<string, string> = {}) {
    const file = join(server.folder, 'block');
    const { code, log } = await device.command(['block', file], { DEVICE_NETWORK: 'none', ...environment });
    expect(code, log).toBe(0);
    return readBlock(file);
  }

  async function readBlock(file: string) {
    const bytes = await readFile(file);
    return findDeviceBlock(new DumpMemory([{ address: 0x3fc8c000, bytes, executable: false }]), null);
  }

  it('writes a block that the reader reads', async () => {
    const device = await aDevice({ DEVICE_MODEL: 'thermostat', DEVICE_RESET_REASON: '6' });

    expect(await blockOf(device)).toEqual({
      identity: {
        model: 'thermostat',
        serial: '7cdfa1e5d3c8',
        firmwareVersion: '1.2.3',
        project: 'thermostat',
        elfSha256: `deadbeef${'0'.repeat(56)}`,
        bootId: expect.stringMatching(/^[0-9a-f]{16}$/),
        bootCount: 1,
        resetReason: 'task_wdt',
      },
      values: [
        { name: 'wifi_rssi', type: 'integer', value: '-61' },
        { name: 'battery_v', type: 'float', value: '3.71' },
        { name: 'uplink', type: 'text', value: 'uplink' },
        { name: 'state', type: 'text', value: 'connecting' },
      ],
      logLines: ['I (42) app: line 0 of 3', 'I (42) app: line 1 of 3', 'I (42) app: line 2 of 3'],
    });
  });

  it('starts before the application, and still knows why', async () => {
    const program = await buildForHost({
      name: 'auto-start',
      defines: [
        ...['CONFIG_COREDOCK_HAS_KCONFIG=1', 'CONFIG_COREDOCK_AUTO_START=1'],
        ...['CONFIG_COREDOCK_SERIAL_FROM_MAC=1', 'CONFIG_COREDOCK_START_DELAY_S=0'],
        ...['CONFIG_COREDOCK_URL="http://127.0.0.1:1"', 'CONFIG_COREDOCK_MODEL="thermostat"'],
      ],
    });
    const file = join(server.folder, 'auto-block');

    const { status, stderr } = spawnSync(program, [file], {
      encoding: 'utf8',
      env: { DEVICE_RESET_REASON: '6', DEVICE_FLASH: '' },
    });

    expect(status, stderr).toBe(0);
    expect((await readBlock(file))?.identity).toMatchObject({
      serial: '7cdfa1e5d3c8',
      resetReason: 'task_wdt',
    });
  });

  it('keeps the newest log lines, whole ones only', async () => {
    const device = await aDevice({ DEVICE_MODEL: 'thermostat' });

    const block = await blockOf(device, { DEVICE_LOG_LINES: '500' });

    const lines = block?.logLines ?? [];
    const first = 500 - lines.length;
    expect(lines.length).toBeGreaterThan(60);
    expect(lines).toEqual(lines.map((_, index) => `I (42) app: line ${first + index} of 500`));
  });

  it('says its limits', async () => {
    const device = await aDevice({ DEVICE_MODEL: 'thermostat' });

    expect((await device.command(['values'])).output).toBe(
      [
        ...['no name: 0x102', 'empty name: 0x102', 'longest name: 0x0', 'too long a name: 0x102'],
        ...['no text: 0x0', 'long text: 0x0', '0123456789012345678901234567890', 'another type: 0x0'],
        ...['unset: 0x0', 'unset again: 0x105', 'values: 16', ''],
      ].join('\n'),
    );
  });

  it('reports each boot with what ended the run before', async () => {
    const proxy = await aFaultProxy(server.port);
    try {
      const device = await aDevice({ DEVICE_URL: `http://127.0.0.1:${proxy.port}`, DEVICE_KEY: 'known' });
      await device.boot();
      await device.crash(aDumpImage(400));
      await device.boot({ DEVICE_RESET_REASON: '4' });

      const boots = proxy.heads.filter((head) => head.includes('/api/iot/boot?'));
      const query = new URLSearchParams(/\?(\S+)/.exec(boots[1] ?? '')?.[1]);
      expect(boots[0]).toMatch(/&reset_reason=poweron&crash_pending=false HTTP/);
      expect(Object.fromEntries(query)).toEqual({
        chip: 'esp32c3',
        firmware_version: '1.2.3',
        device_key: 'known',
        elf_sha256: `deadbeef${'0'.repeat(56)}`,
        reset_reason: 'panic',
        uptime_s: expect.stringMatching(/^\d+$/),
        crash_pending: 'true',
      });
      const { device: known } = await server.graphql<{ device: object }>(
        '{ device(key: "known") { lastBootAt lastBootVersion lastResetReason } }',
      );
      expect(known).toEqual({
        lastBootAt: expect.any(String),
        lastBootVersion: '1.2.3',
        lastResetReason: 'panic',
      });
    } finally {
      await proxy.close();
    }
  });

  it.each([404, 405])('sends the dump to a server that answers %i to the report', async (status) => {
    const proxy = await aFaultProxy(server.port);
    try {
      const device = await aDevice({ DEVICE_URL: `http://127.0.0.1:${proxy.port}`, DEVICE_KEY: 'known' });
      await device.crash(aDumpImage(400));
      proxy.faults = [{ kind: 'answer', status, early: true }];

      expect((await device.boot()).code).toBe(0);
      expect(await device.pending()).toBeNull();
    } finally {
      await proxy.close();
    }
  });

  it('registers itself by its model and serial, and by an ingest key', async () => {
    const { createIngestKey } = await server.graphql<{ createIngestKey: { key: string } }>(
      'mutation { createIngestKey(input: { modelCode: "thermostat", name: "line 1" }) { key } }',
    );
    const byModel = await aDevice({ DEVICE_MODEL: 'thermostat', DEVICE_SERIAL: 'SN-2026:0001' });
    const byKey = await aDevice({ DEVICE_INGEST_KEY: createIngestKey.key });
    for (const device of [byModel, byKey]) {
      await device.crash(aDumpImage(2_000));
      expect(await device.boot()).toMatchObject({ code: 0 });
    }

    const { devices } = await server.graphql<{
      devices: { nodes: Array<{ serial: string; coredumpCount: number }> };
    }>('{ devices(first: 20) { nodes { serial coredumpCount } } }');
    expect(devices.nodes).toEqual(
      expect.arrayContaining([
        { serial: 'SN-2026:0001', coredumpCount: 1 },
        { serial: '7cdfa1e5d3c8', coredumpCount: 1 },
      ]),
    );
  });

  it('sends a version that the server takes, whatever the project calls it', async () => {
    const device = await aDevice({ DEVICE_MODEL: 'thermostat', DEVICE_VERSION: 'v1..2/3 (beta)' });

    expect((await blockOf(device))?.identity?.firmwareVersion).toBe('v1.-2-3--beta-');
  });

  it.each([
    { wrong: { DEVICE_URL: '' }, says: 'COREDOCK_URL' },
    { wrong: { DEVICE_URL: 'crashes.example.org' }, says: 'COREDOCK_URL must be like' },
    { wrong: { DEVICE_URL: 'https://' }, says: 'COREDOCK_URL must be like' },
    { wrong: { DEVICE_URL: 'http:///path' }, says: 'COREDOCK_URL must be like' },
    { wrong: { DEVICE_URL: 'http://x/?a=b' }, says: 'without a query' },
    { wrong: { DEVICE_SERIAL: 'a serial' }, says: 'the serial must be' },
    { wrong: { DEVICE_MODEL: 'Thermostat' }, says: 'COREDOCK_MODEL' },
    { wrong: { DEVICE_KEY: 'Known' }, says: 'the device key must be' },
    { wrong: { DEVICE_MODEL: '' }, says: 'nothing says who this is' },
    { wrong: { DEVICE_TOKEN: 'two words' }, says: 'the key or token' },
  ])('does not start with $wrong', async ({ wrong, says }) => {
    const device = await aDevice({ DEVICE_MODEL: 'thermostat', ...wrong });

    const { code, output, log } = await device.boot();

    expect({ code, output: output.trim() }).toEqual({ code: 3, output: 'coredock_start: 0x102' });
    expect(log).toContain(says);
  });

  it('says that there is no memory for its task', async () => {
    const device = await aDevice({ DEVICE_MODEL: 'thermostat', DEVICE_NO_TASK: '1' });

    expect((await device.boot()).output).toContain('coredock_start: 0x101');
  });
});
