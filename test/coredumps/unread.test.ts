import { describe, expect, it } from 'vitest';
import { aDevice, aServer, stored, type TestApp } from '../support/app.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLDoor } from '../support/graphql-server.js';
import { recount } from '../support/recount.js';
import { keepDeleted } from '../support/recount-sql.js';

async function crashesOf(app: Pick<TestApp, 'graphql'>, version: string): Promise<number[]> {
  const { all, ofVersion } = await app.graphql<Record<string, Array<{ count: number }>>>(
    `query ($version: [String!]) {
      all: crashes(by: DAY) { count }
      ofVersion: crashes(by: HOUR, filter: { firmwareVersion: $version }) { count }
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

  it('costs an upload two statements, and one that was read none', async () => {
    const door = await aGraphQLDoor({ maxCoredumps: 1 });
    const model = await door.fleet.aModel();
    const device = { ...(await door.fleet.aDevice(model)), modelCode: model.code };
    let serial = 0;
    const save = () =>
      door.coredumps.save({
        device,
        chip: 'esp32c3',
        firmwareVersion: '1.0.0',
        idempotencyKey: null,
        body: (async function* () {
          serial += 1;
          yield Buffer.from(`dump ${serial}`);
        })(),
      });

    const withoutRetirement = (await door.statementsOf(save)).length;
    const [first] = await door.db.coredump.findMany();
    if (first === undefined) throw new Error('a dump was uploaded');
    await parsed(door, first);
    const afterReading = (await door.statementsOf(save)).length;
    const unread = (await door.statementsOf(save)).length;

    expect([afterReading, unread]).toEqual([withoutRetirement, withoutRetirement + 2]);
  });

  it('is one when a person deletes it, its device’s dumps, or the device', async () => {
    const door = await aGraphQLDoor();
    await keepDeleted(door.databaseUrl);
    const model = await door.fleet.aModel();
    const [one, other] = [await door.fleet.aDevice(model), await door.fleet.aDevice(model)];
    const dumps = [
      await aPendingDump(door, one),
      await aPendingDump(door, one),
      await aPendingDump(door, other),
    ];

    await door.coredumps.delete(dumps[0]?.id ?? 0);
    await door.coredumps.deleteAllOf(one.id);
    await door.devices.deleteDevice(other.id);

    const devices = await door.db.versionDevice.findMany({ orderBy: { deviceId: 'asc' } });
    expect(devices.map(({ deviceId, count }) => [deviceId, count])).toEqual([
      [one.id, 2],
      [other.id, 1],
    ]);
    expect(await recount(door.databaseUrl)).toEqual([]);
  });

  it('is counted once, though it goes while it is being read', async () => {
    const door = await aGraphQLDoor();
    await keepDeleted(door.databaseUrl);
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    const dump = await aPendingDump(door, device);
    const [task] = await door.state.tasksOf([dump.id]);
    if (task === undefined) throw new Error('the dump waits for its parse');
    const hold = door.state.hold(task);
    await door.state.begin(hold, 3);

    await door.coredumps.delete(dump.id);
    const finished = await door.state.finish(hold, {
      status: 'PARSED',
      errorKind: null,
      text: { output: 'too late', report: null },
      firmwareId: null,
      appElfSha256: null,
    });

    expect(finished).toBeNull();
    expect(await door.db.versionDevice.findMany()).toMatchObject([{ deviceId: device.id, count: 1 }]);
    expect(await recount(door.databaseUrl)).toEqual([]);
  });

  it('is not counted again by a re-parse that was asked for before, nor when it was read once', async () => {
    const door = await aGraphQLDoor();
    await keepDeleted(door.databaseUrl);
    const device = await door.fleet.aDevice(await door.fleet.aModel());
    const waiting = await aPendingDump(door, device);
    const { dump: read } = await aCrash(door, device);
    const { dump: kept } = await aCrash(door, device, { place: 'kept' });

    await door.state.reset({ id: { in: [waiting.id, read.id, kept.id] } });
    await door.coredumps.delete(waiting.id);
    await door.coredumps.delete(read.id);
    await parsed(door, kept, { crash: { place: 'kept' } });

    expect(await door.db.versionDevice.findMany()).toMatchObject([{ count: 3 }]);
    expect(await recount(door.databaseUrl)).toEqual([]);
  });
});
