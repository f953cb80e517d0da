import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildForHost, hasGcc } from './support/build-device.js';
import { aBuiltServer, type BuiltServer, dumpsOf, registerDevices } from './support/built-server.js';
import { aFaultProxy, type Fault, type FaultProxy } from './support/fault-proxy.js';
import {
  aDumpImage,
  aHostDevice,
  type Device,
  type DeviceOptions,
  unfinished,
} from './support/run-device.js';

const SPEED = 400;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const answer = (status: number, headers = ''): Fault => ({ kind: 'answer', status, headers, early: false });

describe.skipIf(!hasGcc)('a device with the component (needs gcc)', () => {
  let server: BuiltServer;
  beforeAll(async () => {
    await buildForHost({ name: 'device' });
    server = await aBuiltServer();
    await registerDevices(
      server,
      'thermostat',
      Array.from({ length: 30 }, (_, index) => `d${index}`),
    );
  });
  afterAll(() => server?.close());

  let lastKey = 0;
  /** A device of its own, behind a proxy. */
  async function aDevice(
    environment: Record<string, string> = {},
    options: Partial<DeviceOptions> = {},
  ): Promise<{ device: Device; proxy: FaultProxy; key: string; stored: () => Promise<string[]> }> {
    const proxy = await aFaultProxy(server.port);
    onTestFinished(() => proxy.close());
    const key = `d${lastKey++}`;
    const device = await aHostDevice({
      folder: server.folder,
      environment: {
        DEVICE_URL: `http://127.0.0.1:${proxy.port}`,
        DEVICE_KEY: key,
        DEVICE_SPEED: String(SPEED),
        DEVICE_RETRY_MIN_S: '2',
        DEVICE_RETRY_MAX_S: '16',
        DEVICE_PATIENCE_MS: String(20_000 * SPEED),
        DEVICE_TIMEOUT_MS: '5000',
        ...environment,
      },
      ...options,
    });
    return { device, proxy, key, stored: () => dumpsOf(server, key) };
  }

  it('sends the dump, erases it, and has nothing to do at the next boot', async () => {
    const { device, proxy, stored } = await aDevice();
    const image = aDumpImage(20_001);
    await device.crash(image);

    const first = await device.boot();
    const pending = await device.pending();
    const second = await device.boot();

    expect(first).toMatchObject({ code: 0 });
    expect(first.log).toContain('core dump of 20001 bytes sent');
    expect(pending).toBeNull();
    expect(second.code).toBe(0);
    expect(await stored()).toEqual([sha256(image)]);
    expect(proxy.heads.filter((head) => head.includes('/api/iot/coredump?'))).toHaveLength(1);
    expect(proxy.heads.at(1)).toMatch(
      /^POST \/api\/iot\/coredump\?chip=esp32c3&firmware_version=1\.2\.3&device_key=d\d+ HTTP/,
    );
    expect(proxy.heads.at(1)).toContain('\r\nContent-Length: 20001\r\n');
    expect(proxy.heads.at(1)).toMatch(/\r\nIdempotency-Key: 4e21-[0-9a-f]{16}-[0-9a-f]{64}\r?/);
  });

  it('gets the first answer again when that was lost, under the same key, and the server has one dump', async () => {
    const { device, proxy, stored } = await aDevice({ DEVICE_SKIP_BOOT_REPORT: '1' });
    await device.crash(aDumpImage(5_000));
    proxy.faults = [
      { kind: 'cut-answer', after: 0 },
      { kind: 'cut-answer', after: 40 },
    ];

    const { code } = await device.boot();

    expect(code).toBe(0);
    expect(await device.pending()).toBeNull();
    expect(await stored()).toHaveLength(1);
    expect(new Set(proxy.heads.map((head) => /Idempotency-Key: (\S+)/.exec(head)?.[1])).size).toBe(1);
    expect(proxy.heads).toHaveLength(3);
  });

  it('keeps two unfinished dumps of one length apart', async () => {
    const { device, stored } = await aDevice();
    const images = [aDumpImage(9_000), aDumpImage(9_000)].map((image) => unfinished(image, 4_000));
    for (const image of images) {
      await device.crash(image);
      await device.boot();
    }

    expect(await stored()).toEqual(images.map(sha256).sort());
  });

  it.each([
    { name: 'a time-out of the server', fault: answer(408) },
    { name: 'a conflict', fault: answer(409) },
    { name: 'too many requests', fault: answer(429, 'Retry-After: 4\r\n') },
    { name: 'a server that is busy', fault: answer(503, 'Retry-After: 2\r\n') },
    { name: 'a broken connection', fault: { kind: 'cut-request', after: 700 } as Fault },
    { name: 'a 201 that is not of this server', fault: answer(201) },
    {
      name: 'the sign-in page of a network',
      fault: { ...answer(200), body: '<html>Sign in</html>' } as Fault,
    },
    { name: 'a redirect to such a page', fault: answer(302, 'Location: http://127.0.0.1:1/\r\n') },
  ])('tries again after $name', async ({ fault }) => {
    const { device, proxy, stored } = await aDevice({ DEVICE_SKIP_BOOT_REPORT: '1' });
    const image = aDumpImage(3_000);
    await device.crash(image);
    proxy.faults = [fault];

    const { code, log } = await device.boot();

    expect(code).toBe(0);
    expect(log).toMatch(/it is kept/);
    expect(await stored()).toEqual([sha256(image)]);
    expect(proxy.heads).toHaveLength(2);
  });

  it('waits as long as the server asks', async () => {
    const { device, proxy } = await aDevice({ DEVICE_SKIP_BOOT_REPORT: '1' });
    await device.crash(aDumpImage(300));
    proxy.faults = [answer(429, 'retry-after: 400\r\n')];
    const begun = performance.now();

    expect((await device.boot()).code).toBe(0);

    expect(performance.now() - begun).toBeGreaterThan((400 * 1_000) / SPEED);
  });

  it('reports its boot again where the sign-in page of a network has answered', async () => {
    const { device, proxy, stored } = await aDevice();
    await device.crash(aDumpImage(300));
    const page: Fault = { kind: 'answer', status: 200, body: '<html>Sign in</html>', early: false };
    proxy.faults = [page, page];

    expect((await device.boot()).code).toBe(0);

    expect(proxy.heads.map((head) => /POST (\S+)\?/.exec(head)?.[1])).toEqual([
      ...['/api/iot/boot', '/api/iot/coredump', '/api/iot/boot', '/api/iot/coredump'],
    ]);
    expect(await stored()).toHaveLength(1);
  });

  it.each([400, 401, 403, 404, 413, 415])(
    'keeps the dump after a %i, says so once, and tries rarely',
    async (status) => {
      const { device, proxy, stored } = await aDevice(
        {
          DEVICE_SKIP_BOOT_REPORT: '1',
          DEVICE_REFUSED_RETRY_S: '100',
          DEVICE_PATIENCE_MS: '220000',
        },
        // The device goes on while its memory is looked through.
        { isCheckedForLeaks: false },
      );
      const image = aDumpImage(3_000);
      await device.crash(image);
      proxy.faults = Array.from({ length: 20 }, () => answer(status, 'Location: http://127.0.0.1:1/\r\n'));

      const { code, log } = await device.boot();
      const requests = proxy.heads.length;
      const pending = await device.pending();
      proxy.faults = [];
      await device.boot();

      expect(code).toBe(2);
      expect(log.match(/it is kept/g)).toHaveLength(1);
      expect(requests).toBeGreaterThanOrEqual(2);
      expect(requests).toBeLessThanOrEqual(3);
      expect(pending).toBe(3_000);
      expect(await stored()).toEqual([sha256(image)]);
    },
  );

  it('sends a dump from an encrypted partition as it was written, and makes one blank that never was written', async () => {
    const { device, stored } = await aDevice({}, { isEncrypted: true });

    const first = await device.boot();
    const image = aDumpImage(7_777);
    await device.crash(image);
    const second = await device.boot();

    expect(first.log).toContain('it is erased');
    expect(second.code).toBe(0);
    expect(await stored()).toEqual([sha256(image)]);
  });

  it('neither sends nor loses anything when flash cannot be erased or read', async () => {
    const { device, stored } = await aDevice({ DEVICE_PATIENCE_MS: '400000' });
    const image = aDumpImage(1_000);
    await device.crash(image);

    const unread = await device.boot({ DEVICE_FAILING_READS: '1000000' });
    const kept = await device.boot({ DEVICE_ERASE_FAILS: '1' });

    expect(unread.code).toBe(2);
    expect(kept.log).toContain('the server has the core dump, but it cannot be erased');
    expect((await device.boot()).log).toContain('it is erased');
    expect(await stored()).toEqual([sha256(image)]);
  });

  it.each(['event', 'before'])('begins when there is an address: %s', async (network) => {
    const { device, stored } = await aDevice({ DEVICE_NETWORK: network });
    await device.crash(aDumpImage(500));

    expect((await device.boot()).code).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  it('opens no connection before there is a network', async () => {
    const { device, proxy } = await aDevice({ DEVICE_NETWORK: 'none', DEVICE_PATIENCE_MS: '200000' });
    await device.crash(aDumpImage(500));

    expect((await device.boot()).code).toBe(2);
    expect(proxy.connections()).toBe(0);
  });

  it('works without a core dump partition, and without memory for a client it keeps the dump', async () => {
    const { device, stored } = await aDevice({ DEVICE_PATIENCE_MS: '200000' });
    await device.crash(aDumpImage(500));

    const full = await device.boot({ DEVICE_NO_CLIENT: '1' });
    const none = await device.command(['run'], { DEVICE_FLASH: '' });

    expect(full.code).toBe(2);
    expect(await device.pending()).toBe(500);
    expect(none.code).toBe(0);
    expect(await stored()).toEqual([]);
  });
});
