import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { hasGcc, WITH_SUMMARIES } from './support/build-device.js';
import { panicFile, stateOf } from './support/panic-file.js';
import { aDumpImage, unfinished } from './support/run-device.js';
import { aSummaryDevice, keyOf, summaryIn } from './support/summary-device.js';

const STATE = panicFile(stateOf(fixture('thermostat-1.0.0').dump('null-pointer')));

describe.skipIf(!hasGcc)('sending a crash without a dump (needs gcc)', () => {
  it.each([408, 429, 500, 503])('is sent again after a %i, under the same key', async (status) => {
    const { device, server } = await aSummaryDevice();
    await device.panic(STATE);
    server.answers = [{ status }, { status }];

    expect((await device.boot()).code).toBe(0);

    expect(server.crashes).toHaveLength(3);
    expect(new Set(server.crashes.map(keyOf)).size).toBe(1);
    expect(new Set(server.crashes.map(({ body }) => body.toString())).size).toBe(1);
  });

  it.each([200, 201, 302])('is not taken for stored because of a %i of somebody else', async (status) => {
    const { device, server } = await aSummaryDevice();
    await device.panic(STATE);
    server.answers = [{ status, body: '<html>Sign in</html>' }];

    expect((await device.boot()).code).toBe(0);

    expect(server.crashes).toHaveLength(2);
  });

  it.each([400, 401, 403, 404, 405, 413])('is kept over restarts after a %i', async (status) => {
    const { device, server } = await aSummaryDevice({
      environment: { DEVICE_REFUSED_RETRY_S: '100', ASAN_OPTIONS: 'detect_leaks=0' },
    });
    await device.panic(STATE);
    server.answers = Array.from({ length: 9 }, () => ({ status }));

    const refused = await device.boot({ DEVICE_PATIENCE_MS: '220000' });
    const asked = server.crashes.length;
    server.answers = [];
    const taken = await device.boot();

    expect([refused.code, taken.code]).toEqual([2, 0]);
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(asked).toBeLessThanOrEqual(3);
    const isOlderServer = status === 404 || status === 405;
    expect(refused.log.match(/W \(42\) coredock: crash summary/g) ?? []).toHaveLength(isOlderServer ? 0 : 1);
    expect(refused.log).toContain('kept');
    expect(server.crashes).toHaveLength(asked + 1);
  });

  it('is the newest one when the server was not there for two', async () => {
    const { device, server } = await aSummaryDevice();
    await device.panic(STATE, { DEVICE_PANIC_REASON: 'Illegal instruction' });
    await device.panic(STATE, { DEVICE_PANIC_REASON: 'Breakpoint' });

    await device.boot();

    expect(server.crashes.map((request) => summaryIn(request).reason)).toEqual(['Breakpoint']);
  });

  /** Where the block of the component is in the dumps of these tests. */
  const BLOCK_AT = '2000';
  async function aDumpFile(folder: string, image: Buffer = aDumpImage(20_000)): Promise<string> {
    const file = join(folder, `${image.length}-${image.readUInt32LE(image.length - 4)}.dmp`);
    await writeFile(file, image);
    return file;
  }

  const pathsOf = (requests: readonly { path: string }[]) => requests.map(({ path }) => path);

  it.each([
    { name: 'with its block', dump: aDumpImage(20_000), environment: { DEVICE_PANIC_BLOCK_AT: BLOCK_AT } },
    { name: 'cut off before its block', dump: unfinished(aDumpImage(20_000), 1_500), environment: {} },
    {
      name: 'of a crash before coredock_start',
      dump: aDumpImage(9_000),
      environment: { DEVICE_PANICS_EARLY: '1' },
    },
  ])('leaves it to the dump of the same crash: $name', async ({ dump, environment }) => {
    const { device, server, folder } = await aSummaryDevice({ hasPartition: true });
    await device.panic(STATE, { DEVICE_PANIC_DUMP: await aDumpFile(folder, dump), ...environment });

    const { code } = await device.boot();
    await device.boot();

    expect(code).toBe(0);
    expect(pathsOf(server.crashes)).toEqual(['/api/iot/coredump']);
    expect(server.boots.map(({ query }) => query.crash_pending)).toEqual(['true', 'false']);
  });

  it('is not sent when the server refuses the dump of the same crash', async () => {
    const { device, server, folder } = await aSummaryDevice({
      hasPartition: true,
      environment: { ASAN_OPTIONS: 'detect_leaks=0' },
    });
    const dump = await aDumpFile(folder);
    await device.panic(STATE, { DEVICE_PANIC_DUMP: dump, DEVICE_PANIC_BLOCK_AT: BLOCK_AT });
    server.answers = [{ status: 413 }];

    await device.boot({ DEVICE_PATIENCE_MS: '200000' });
    await device.boot();

    expect(pathsOf(server.crashes)).toEqual(['/api/iot/coredump', '/api/iot/coredump']);
  });

  it('is sent beside the dump of an earlier crash, which took the room of its own', async () => {
    const { device, server, folder } = await aSummaryDevice({ hasPartition: true });
    const dump = await aDumpFile(folder);
    await device.panic(STATE, { DEVICE_PANIC_DUMP: dump, DEVICE_PANIC_BLOCK_AT: BLOCK_AT });
    await device.panic(STATE, { DEVICE_PANIC_REASON: 'Breakpoint' });

    expect((await device.boot()).code).toBe(0);

    expect(pathsOf(server.crashes)).toEqual(['/api/iot/coredump', '/api/iot/crash']);
    expect(server.crashes.slice(1).map((request) => summaryIn(request).reason)).toEqual(['Breakpoint']);
  });

  it('is sent when the partition was too small for a dump, and waits while the partition cannot be read', async () => {
    const { device, server } = await aSummaryDevice({ hasPartition: true });
    await device.panic(STATE);

    await device.boot({
      DEVICE_FAILING_READS: '1000000',
      DEVICE_PATIENCE_MS: '200000',
      ASAN_OPTIONS: 'detect_leaks=0',
    });
    const before = server.crashes.length;
    await device.boot();

    expect(before).toBe(0);
    expect(pathsOf(server.crashes)).toEqual(['/api/iot/crash']);
  });

  it('is not sent after its dump, which could not be read at first', async () => {
    const { device, server, folder } = await aSummaryDevice({
      hasPartition: true,
      environment: { DEVICE_REFUSED_RETRY_S: '100' },
    });
    const dump = await aDumpFile(folder);
    await device.panic(STATE, { DEVICE_PANIC_DUMP: dump, DEVICE_PANIC_BLOCK_AT: BLOCK_AT });

    const { code, log } = await device.boot({ DEVICE_FAILING_READS: '5' });
    await device.boot();

    expect({ code, log }).toEqual({ code: 0, log: expect.stringContaining('cannot be read') });
    expect(pathsOf(server.crashes)).toEqual(['/api/iot/coredump']);
  });

  it('counts once, wherever a watchdog resets the device while it sends', { timeout: 60_000 }, async () => {
    const { device, server } = await aSummaryDevice({ environment: { ASAN_OPTIONS: 'detect_leaks=0' } });
    await device.panic(STATE);
    const memory = await readFile(device.noinit);
    let survived = false;

    for (let step = 1; !survived; step += 1) {
      await writeFile(device.noinit, memory);
      server.crashes.length = 0;
      survived = (await device.boot({ DEVICE_RESETS_AT: String(step) })).code === 0;
      expect((await device.boot()).code).toBe(0);
      const keys = new Set(server.crashes.map(keyOf));
      expect(keys.size, `reset at step ${step}`).toBe(1);
      expect(server.crashes.length).toBeLessThanOrEqual(2);
    }
  });

  it.each([
    { name: 'Arduino', defines: ['CONFIG_COREDOCK_CRASH_SUMMARY=1', 'SHIM_ARDUINO=1'] },
    {
      name: 'Arduino as a component, and core dumps switched off',
      defines: ['CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH=0', 'COREDOCK_WRAPS_PANIC=1', 'SHIM_ARDUINO=1'],
    },
  ])('works with $name', async ({ defines }) => {
    const program = { ...WITH_SUMMARIES, defines };
    const { device, server } = await aSummaryDevice({ program });
    await device.panic(STATE, { DEVICE_PANIC_ABORT: 'assert failed: f main.c:1 (x)' });

    const { code, log } = await device.boot();

    expect({ code, log }).toEqual({ code: 0, log: expect.not.stringContaining('no crash summaries') });
    expect(server.crashes.map(summaryIn)).toMatchObject([
      { reason: 'assert failed: f main.c:1 (x)', task: 'sensor' },
    ]);
    expect(server.boots).toHaveLength(1);
  });

  it('says that it is not possible where nothing tells it of panics', async () => {
    const { device, server } = await aSummaryDevice({
      program: { name: 'device', defines: ['CONFIG_COREDOCK_CRASH_SUMMARY=1'] },
    });
    await device.panic(STATE);

    const { code, log } = await device.boot();

    expect({ code, crashes: server.crashes }).toEqual({ code: 0, crashes: [] });
    expect(log).toContain('no crash summaries');
  });
});
