import { describe, expect, it } from 'vitest';
import { aDevice, aServer, stored, type TestApp } from '../support/app.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';
import { keepDeleted } from '../support/recount-sql.js';

async function crashesOf(app: Pick<TestApp, 'graphql'>, version: string): Promise<number[]> {
  const { all, ofVersion } = await app.graphql<Record<string, Array<{ count: number }>>>(
    `query ($version: [String!]) {
      all: crashes(unit: DAY) { count }
      ofVersion: crashes(unit: HOUR, filter: { firmwareVersion: $version }) { count }
    }`,
    { version: [version] },
  );
  return [all, ofVersion].map((slots = []) => slots.reduce((sum, { count }) => sum + count, 0));
}

describe('a dump that goes before anybody has read it', () => {
  it('is a crash in the charts when retention takes it', async () => {
    const app = await aServer({ MAX_COREDUMPS: '2' });
    await keepDeleted(app.config.databaseUrl);
    await aDevice(app);

    await Promise.all(
      Array.from({ length: 7 }, (_, index) => stored(app, `dump ${index}`, { version: '1.2.0' })),
    );

    expect(await crashesOf(app, '1.2.0')).toEqual([5, 5]);
    expect(await recount(app.config.databaseUrl)).toEqual([]);
  });

  it('costs an upload four statements, and one that was read none', async () => {
    const endpoint = await aGraphQLEndpoint({ maxCoredumps: 1 });
    const model = await endpoint.fleet.aModel();
    const device = { ...(await endpoint.fleet.aDevice(model)), modelCode: model.code };
    let serial = 0;
    const save = () =>
      endpoint.coredumps.save({
        device,
        chip: 'esp32c3',
        firmwareVersion: '1.0.0',
        idempotencyKey: null,
        body: (async function* () {
          serial += 1;
          yield Buffer.from(`dump ${serial}`);
        })(),
      });

    const withoutRetirement = (await endpoint.statementsOf(save)).length;
    const [first] = await endpoint.db.coredump.findMany();
    if (first === undefined) throw new Error('a dump was uploaded');
    await parsed(endpoint, first);
    const afterReading = (await endpoint.statementsOf(save)).length;
    const unread = (await endpoint.statementsOf(save)).length;

    expect([afterReading, unread]).toEqual([withoutRetirement, withoutRetirement + 4]);
  });

  it('is one when a person deletes it, its device’s dumps, or the device', async () => {
    const endpoint = await aGraphQLEndpoint();
    await keepDeleted(endpoint.databaseUrl);
    const model = await endpoint.fleet.aModel();
    const [one, other] = [await endpoint.fleet.aDevice(model), await endpoint.fleet.aDevice(model)];
    const dumps = [
      await aPendingDump(endpoint, one),
      await aPendingDump(endpoint, one),
      await aPendingDump(endpoint, other),
    ];

    await endpoint.coredumps.delete(dumps[0]?.id ?? 0);
    await endpoint.coredumps.deleteAllOf(one.id);
    await endpoint.devices.deleteDevice(other.id);

    const devices = await endpoint.db.versionDevice.findMany({ orderBy: { deviceId: 'asc' } });
    expect(devices.map(({ deviceId, count }) => [deviceId, count])).toEqual([
      [one.id, 2],
      [other.id, 1],
    ]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('is counted once, though it goes while it is being read', async () => {
    const endpoint = await aGraphQLEndpoint();
    await keepDeleted(endpoint.databaseUrl);
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const dump = await aPendingDump(endpoint, device);
    const [task] = await endpoint.state.tasksOf([dump.id]);
    if (task === undefined) throw new Error('the dump waits for its parse');
    const hold = endpoint.state.hold(task);
    await endpoint.state.begin(hold, 3);

    await endpoint.coredumps.delete(dump.id);
    const finished = await endpoint.state.finish(hold, {
      status: 'PARSED',
      errorKind: null,
      text: { output: 'too late', report: null },
      firmwareId: null,
      appElfSha256: null,
      dumpChip: null,
      kind: null,
    });

    expect(finished).toBeNull();
    expect(await endpoint.db.versionDevice.findMany()).toMatchObject([{ deviceId: device.id, count: 1 }]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });

  it('is not counted again by a re-parse that was asked for before, nor when it was read once', async () => {
    const endpoint = await aGraphQLEndpoint();
    await keepDeleted(endpoint.databaseUrl);
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    const waiting = await aPendingDump(endpoint, device);
    const { dump: read } = await aCrash(endpoint, device);
    const { dump: kept } = await aCrash(endpoint, device, { place: 'kept' });

    await endpoint.state.reset({ id: { in: [waiting.id, read.id, kept.id] } });
    await endpoint.coredumps.delete(waiting.id);
    await endpoint.coredumps.delete(read.id);
    await parsed(endpoint, kept, { crash: { place: 'kept' } });

    expect(await endpoint.db.versionDevice.findMany()).toMatchObject([{ count: 3 }]);
    expect(await recount(endpoint.databaseUrl)).toEqual([]);
  });
});
