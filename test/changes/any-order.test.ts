import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type CrashEvent, followChanges, nameOf } from '../support/change-follower.js';
import { aPendingDump, parsed } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const STEPS = 120;

describe.each([1, 2, 3])('a view that is kept by events alone, seed %i', (seed) => {
  it('equals what a query counts, however often its client disconnects', async () => {
    const endpoint = await aGraphQLEndpoint({ maxCoredumps: 3 });
    const random = aRandom(seed);
    const view = aView(endpoint, random);

    const running = view.keep();
    await view.begun;
    for (let step = 0; step < STEPS; step++) {
      await aStep(endpoint, random);
      if (random(8) === 0) await pause(random(20));
    }
    endpoint.changes.wake();
    await view.settle();
    await running;

    expect(view.things()).toEqual(await allThings(endpoint));
    expect(view.breaks()).toBeGreaterThan(2);
  });
});

/** What a client shows: each thing by its id, with what it knows of it. */
function aView(endpoint: GraphQLEndpoint, random: (below: number) => number) {
  const things = new Map<string, string>();
  let cursor: string | undefined;
  let breaks = -1;
  let isLast = false;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });

  function take(event: CrashEvent): void {
    cursor = event.cursor;
    begin();
    if (event.type === 'GAP') throw new Error('nothing was forgotten');
    if (event.id == null) return;
    if (event.node == null) things.delete(nameOf(event.id));
    else things.set(nameOf(event.id), stateOf(event));
  }

  return {
    begun,
    /** Follows for some events, goes away for a moment, and comes back. */
    async keep(): Promise<void> {
      for (;;) {
        const wasLast = isLast;
        breaks += 1;
        const { next, until, stop } = await followChanges(
          endpoint,
          cursor === undefined ? {} : { since: cursor },
        );
        if (wasLast) {
          for (const event of await until('READY')) take(event);
          return;
        }
        for (let n = random(12); n >= 0 && !isLast; n--) {
          const event = await Promise.race([next(), pause(1_500, null)]);
          if (event === null) break;
          take(event);
        }
        await stop();
        await pause(random(30));
      }
    },
    async settle(): Promise<void> {
      isLast = true;
    },
    things: () => [...things].sort(),
    breaks: () => breaks,
  };
}

function stateOf({ subject, coredump, crashGroup }: CrashEvent): string {
  return `${subject} ${coredump?.parseStatus ?? crashGroup?.count ?? ''}`;
}

async function allThings({ db }: GraphQLEndpoint): Promise<Array<[string, string]>> {
  const [dumps, groups, devices, firmwares, models] = await Promise.all([
    db.coredump.findMany(),
    db.crashGroup.findMany(),
    db.device.findMany(),
    db.firmware.findMany(),
    db.deviceModel.findMany(),
  ]);
  return [
    ...dumps.map(({ id, parseStatus }) => [`Coredump:${id}`, `COREDUMP ${parseStatus}`] as [string, string]),
    ...groups.map(({ id, count }) => [`CrashGroup:${id}`, `CRASH_GROUP ${count}`] as [string, string]),
    ...devices.map(({ id }) => [`Device:${id}`, 'DEVICE '] as [string, string]),
    ...firmwares.map(({ id }) => [`Firmware:${id}`, 'FIRMWARE '] as [string, string]),
    ...models.map(({ id }) => [`DeviceModel:${id}`, 'DEVICE_MODEL '] as [string, string]),
  ].sort();
}

async function aStep(endpoint: GraphQLEndpoint, random: (below: number) => number): Promise<void> {
  const { db, fleet, devices, coredumps, crashGroups } = endpoint;
  const device = pick(await db.device.findMany(), random);
  const dump = pick(await db.coredump.findMany(), random);
  if (device === undefined) return void (await fleet.aDevice(await fleet.aModel()));
  switch (random(9)) {
    case 0:
      return void (await fleet.aDevice({ id: device.modelId }));
    case 1:
      if (random(3) === 0) await devices.deleteDevice(device.id);
      return;
    case 2:
      if (dump !== undefined) await coredumps.delete(dump.id);
      return;
    case 3: {
      const [into, ...others] = await db.crashGroup.findMany();
      if (into !== undefined && others[0] !== undefined) await crashGroups.merge(into.id, [others[0].id]);
      return;
    }
    case 4:
      return void (await fleet.aFirmware({ id: device.modelId }));
    case 5:
      return void (await devices.updateDevice(device.id, { name: `name ${random(1_000)}` }));
    default: {
      const arrived = await aPendingDump(endpoint, device);
      if (random(3) > 0) await parsed(endpoint, arrived, { crash: { place: `place ${random(4)}` } });
    }
  }
}

function pick<Item>(items: readonly Item[], random: (below: number) => number): Item | undefined {
  return items.length === 0 ? undefined : items[random(items.length)];
}

/** The same numbers for the same seed. */
function aRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
