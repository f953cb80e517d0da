import { readdir } from 'node:fs/promises';
import { describe, expect, inject, it } from 'vitest';
import { readConfig } from '../../src/config/settings.js';
import { createStorageForecast } from '../../src/coredumps/storage-forecast.js';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aDevice, aServer, errorOf, eventually, stored, type TestApp } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

const KIB = 1024;
const LIMITS = { MAX_COREDUMP_BYTES: String(KIB), MAX_STORAGE_BYTES: String(10 * KIB), MAX_COREDUMPS: '100' };
const dumpNumber = (number: number) => Buffer.alloc(KIB, `dump ${number}`);

async function storedMany(app: TestApp, count: number, from = 0) {
  const dumps = [];
  for (let number = from; number < from + count; number++) dumps.push(await stored(app, dumpNumber(number)));
  return dumps;
}

async function metric(app: TestApp, name: string): Promise<number> {
  const text = await (await fetch(`${app.url}/metrics`)).text();
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
  return value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
}

const files = (app: TestApp) => readdir(`${app.config.coredumpsDir}/dev1`);
const storedBytes = (app: TestApp) => metric(app, 'coredock_storage_bytes');

describe('MAX_STORAGE_BYTES', () => {
  it('keeps the newest raw dumps, and of the oldest their rows, and says why they are gone', async () => {
    const app = await aServer(LIMITS);
    await aDevice(app);

    const dumps = await storedMany(app, 15);

    await eventually(async () => (await files(app)).length === 10, 'ten dumps are left');
    expect((await files(app)).sort()).toEqual(dumps.slice(5).map(({ filename }) => filename));
    // A file goes first, then it is noted.
    await eventually(async () => (await storedBytes(app)) === 10 * KIB, 'the account is right');
    const [first] = dumps;
    const download = await fetch(`${app.url}/api/coredumps/${first?.coredumpId}/download`);
    expect(await errorOf(download)).toMatchObject({
      status: 410,
      code: 'GONE',
      message: expect.stringContaining('MAX_STORAGE_BYTES'),
    });
    const { coredumps } = await app.graphql<{
      coredumps: { totalCount: number; nodes: Array<{ rawRemovedReason: string | null }> };
    }>('{ coredumps(first: 50) { totalCount nodes { rawRemovedReason } } }');
    expect(coredumps.totalCount).toBe(15);
    expect(
      coredumps.nodes.filter(({ rawRemovedReason }) => rawRemovedReason === 'STORAGE_LIMIT'),
    ).toHaveLength(5);
  });

  it('spares what waits for its parse while something else can go', async () => {
    const sidecar = await aSidecar((call, response) => {
      // The first one's parse stands still.
      if (call.coreBytes?.equals(dumpNumber(0)) !== true) answerJson(response, 200, { output: 'the report' });
    });
    const app = await aServer({ ...LIMITS, ...sidecar.environment, PARSE_CONCURRENCY: '2' });
    await aDevice(app);
    await uploadFirmware(app, { elf: aFirmwareElf({ version: '1.0.0' }) });
    const [waiting] = await storedMany(app, 1);
    await storedMany(app, 9, 1);
    await eventually(
      async () => (await metric(app, 'coredump_parse_queue_depth')) === 1,
      'the others are read',
    );

    await storedMany(app, 3, 10);

    await eventually(async () => (await storedBytes(app)) === 10 * KIB, 'the oldest have made room');
    expect(await files(app)).toContain(waiting?.filename);
  });

  it('counts exactly, whatever adds and removes dumps, and across a restart', async () => {
    const app = await aServer({ ...LIMITS, MAX_COREDUMPS: '4' });
    await aDevice(app);
    const dumps = await storedMany(app, 7);
    expect(await storedBytes(app)).toBe(4 * KIB);

    await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
      id: dumps[6]?.coredumpId,
    });
    expect(await storedBytes(app)).toBe(3 * KIB);

    const again = await app.restart();
    expect(await storedBytes(again)).toBe(3 * KIB);
    const { device } = await again.graphql<{ device: { id: string } }>('{ device(key: "dev1") { id } }');
    await again.graphql('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }', {
      id: device.id,
    });
    expect(await storedBytes(again)).toBe(0);
  });

  it('is the same account as the rows tell, after removals and deletions of what was removed', async () => {
    const app = await aServer(LIMITS);
    await aDevice(app);
    const dumps = await storedMany(app, 12);
    await eventually(async () => (await files(app)).length === 10, 'ten dumps are left');

    for (const { coredumpId } of dumps.slice(0, 6)) {
      await app.graphql('mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }', {
        id: coredumpId,
      });
    }

    expect(await storedBytes(app)).toBe(6 * KIB);
  });

  it('smaller than one dump may be stops the start with one line', () => {
    expect(() => readConfig({ MAX_STORAGE_BYTES: '1000' })).toThrow(
      /^MAX_STORAGE_BYTES: "1000" is less than/,
    );
  });
});

describe.runIf(inject('postgresql') !== undefined)(
  'MAX_STORAGE_BYTES of two servers (needs PostgreSQL)',
  () => {
    it('is kept together, and counted once', async () => {
      const app = await aServer(LIMITS);
      const other = await app.another();
      await aDevice(app);

      await Promise.all(
        Array.from({ length: 40 }, (_, number) => stored(number % 2 === 0 ? app : other, dumpNumber(number))),
      );

      await eventually(async () => (await files(app)).length === 10, 'ten dumps are left');
      await eventually(async () => (await storedBytes(other)) === 10 * KIB, 'the account is right');
      const database = await openDatabase(app.config.databaseUrl);
      const [row] = await database.db.$queryRaw<Array<{ bytes: bigint | number }>>`
      SELECT sum("size") AS "bytes" FROM "Coredump" WHERE "id" NOT IN (SELECT "coredumpId" FROM "RemovedRaw")`;
      await database.close();
      expect(Number(row?.bytes)).toBe(10 * KIB);
    });
  },
);

describe('metrics of the storage', () => {
  it('tell the limit, the free room of each disk, and when it will be full', async () => {
    const app = await aServer(LIMITS);

    expect(await metric(app, 'coredock_storage_limit_bytes')).toBe(10 * KIB);
    expect(await metric(app, 'coredock_disk_free_bytes')).toBeGreaterThan(0);
    expect(await metric(app, 'coredock_disk_free_inodes')).toBeGreaterThanOrEqual(0);
    expect(await metric(app, 'coredock_storage_seconds_until_full')).toBeGreaterThan(0);
  });

  it('forecast by the limit or the disk, whichever is first', () => {
    const forecast = createStorageForecast({ maxBytes: 1_000 });
    expect(forecast.secondsUntilFull()).toBe(Number.POSITIVE_INFINITY);
    forecast.add({ atMs: 0, storedBytes: 100, freeBytes: 5_000 });
    forecast.add({ atMs: 10_000, storedBytes: 200, freeBytes: 4_900 });

    expect(forecast.secondsUntilFull()).toBe(80);

    forecast.add({ atMs: 20_000, storedBytes: 300, freeBytes: 400 });
    expect(forecast.secondsUntilFull()).toBeCloseTo(400 / 230);
  });
});
