import fc from 'fast-check';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createRegroupJob } from '../../src/crash-groups/regroup-job.js';
import { DomainError } from '../../src/errors.js';
import { aReport } from '../support/crash-groups.js';
import { aGraphQLDoor, type GraphQLDoor } from '../support/graphql-server.js';
import { keepDeleted, recount } from '../support/recount.js';

const PLACES = ['a', 'b', 'c', 'd', 'e'];
const VERSIONS = ['1.0.0', '1.1.0'];
const DEVICES = 3;
/** Few, so that retention takes dumps that nobody has read, and such as are being read. */
const MAX_COREDUMPS = 4;

/** Which of what is there when the step begins, as a fraction of all. */
const pick = fc.double({ min: 0, max: 0.999, noNaN: true });
const reading = fc.oneof(
  fc.record({ is: fc.constant('read' as const), place: fc.constantFrom(...PLACES) }),
  fc.record({ is: fc.constant('without a fingerprint' as const) }),
  fc.record({ is: fc.constant('failed' as const) }),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('crash' as const),
      device: fc.nat(DEVICES - 1),
      version: fc.constantFrom(...VERSIONS),
      /** Null: it waits, and may go unread. */
      reading: fc.option(reading),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('reparse' as const), dump: pick, reading }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('delete' as const), dump: pick }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('empty' as const), device: fc.nat(DEVICES - 1) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('merge' as const), into: pick, other: pick }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('split' as const), fingerprint: pick }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('watch' as const), group: pick }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('resolve' as const), group: pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('regroup' as const), recipe: fc.integer({ min: 2, max: 4 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;
type Reading = typeof reading extends fc.Arbitrary<infer One> ? One : never;

/** What a person may be answered; anything else is a fault of ours. */
const REFUSALS = ['BAD_USER_INPUT', 'NOT_FOUND', 'CONFLICT'];

it('counters are what a recount gives after any interleaving, on as many servers as the database allows', async () => {
  const first = await aGraphQLDoor({ maxCoredumps: MAX_COREDUMPS });
  const isShared = !first.databaseUrl.startsWith('file:');
  const doors = isShared
    ? [first, await aGraphQLDoor({ maxCoredumps: MAX_COREDUMPS, beside: first })]
    : [first];
  await keepDeleted(first.databaseUrl);
  const model = await first.fleet.aModel();
  const devices = await Promise.all(
    Array.from({ length: DEVICES }, async () => ({
      ...(await first.fleet.aDevice(model)),
      modelCode: model.code,
    })),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      const work = steps.map((one, index) =>
        take(doors[index % doors.length] ?? first, devices, one).catch((error: unknown) => {
          if (!(error instanceof DomainError && REFUSALS.includes(error.code))) throw error;
        }),
      );
      await Promise.all(work);

      expect(await recount(first.databaseUrl)).toEqual([]);
    }),
    // What one run leaves the next one begins with, so a shorter list of steps would not fail the same way.
    { numRuns: 8, endOnFailure: true },
  );
});

type UploadingDevice = Parameters<GraphQLDoor['coredumps']['save']>[0]['device'];
let serial = 0;

async function take(door: GraphQLDoor, devices: readonly UploadingDevice[], one: Step): Promise<unknown> {
  switch (one.does) {
    case 'crash': {
      const device = devices[one.device];
      if (device === undefined) return;
      serial += 1;
      const { coredump } = await door.coredumps.save({
        device,
        chip: 'esp32c3',
        firmwareVersion: one.version,
        idempotencyKey: null,
        body: (async function* () {
          yield Buffer.from(`dump ${serial}`);
        })(),
      });
      return one.reading === null ? undefined : read(door, coredump.id, one.reading);
    }
    case 'reparse': {
      const id = await pickOf(door, 'dump', one.dump);
      await door.state.reset({ id });
      return read(door, id, one.reading);
    }
    case 'delete':
      return door.coredumps.delete(await pickOf(door, 'dump', one.dump));
    case 'empty':
      return door.coredumps.deleteAllOf(devices[one.device]?.id ?? 0);
    case 'merge':
      return door.crashGroups.merge(await pickOf(door, 'group', one.into), [
        await pickOf(door, 'group', one.other),
      ]);
    case 'split': {
      const all = await door.db.crashSignature.findMany({ orderBy: { id: 'asc' } });
      const signature = all[Math.floor(one.fingerprint * all.length)];
      return door.crashGroups.split(signature?.groupId ?? 0, [signature?.fingerprint ?? '']);
    }
    case 'resolve':
      return door.crashGroups.resolve(await pickOf(door, 'group', one.group), null);
    case 'watch':
      return door.alerts.create({
        name: 'of one group',
        url: 'http://127.0.0.1:9/',
        format: 'GENERIC',
        onNew: true,
        onRegression: true,
        spikeCount: 2,
        modelCode: null,
        groupId: await pickOf(door, 'group', one.group),
        enabled: true,
      });
    case 'regroup':
      return regroup(door, one.recipe);
  }
}

/** As the pipeline does; the dump may have gone, or been taken by somebody else, at every step. */
async function read(door: GraphQLDoor, id: number, reading: Reading): Promise<void> {
  const [task] = await door.state.tasksOf([id]);
  if (task === undefined) return;
  const hold = door.state.hold(task);
  await door.state.begin(hold, 3);
  const fingerprint = reading.is === 'read' ? `v1:${reading.place}` : null;
  const report =
    reading.is === 'failed'
      ? null
      : aReport({ place: reading.is === 'read' ? reading.place : 'x', fingerprint });
  await door.state.finish(hold, {
    status: reading.is === 'failed' ? 'ERROR' : 'PARSED',
    errorKind: reading.is === 'failed' ? 'failed' : null,
    text: { output: 'the output', report },
    firmwareId: null,
    appElfSha256: null,
  });
}

async function regroup(door: GraphQLDoor, recipe: number): Promise<void> {
  serial += 1;
  const failures: string[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void failures.push(line) });
  const job = createRegroupJob({
    database: { db: door.db, now: async () => new Date() },
    owner: `regroup ${serial}`,
    now: () => new Date(),
    log,
    alerts: door.groupAlerts,
    recipe: {
      version: `v${recipe}`,
      // Each tells apart what the others do not.
      of: ({ fingerprint }) => {
        const place = fingerprint?.split(':').at(1);
        return place === undefined ? null : `v${recipe}:${'abcde'.indexOf(place[0] ?? '') % recipe}`;
      },
    },
  });
  await job.restart();
  await job.idle();
  await job.close();
  expect(failures).toEqual([]);
}

async function pickOf(door: GraphQLDoor, what: 'dump' | 'group', at: number): Promise<number> {
  const rows =
    what === 'dump'
      ? await door.db.coredump.findMany({ orderBy: { id: 'asc' }, select: { id: true } })
      : await door.db.crashGroup.findMany({ orderBy: { id: 'asc' }, select: { id: true } });
  return rows[Math.floor(at * rows.length)]?.id ?? 0;
}
