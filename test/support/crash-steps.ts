import fc from 'fast-check';
import { pino } from 'pino';
import type { UploadingDevice } from '../../src/coredumps/ingest.js';
import { createRegroupJob } from '../../src/crash-groups/regroup-job.js';
import { DomainError } from '../../src/errors.js';
import { wholeRow } from '../../src/platform/database/whole-rows.js';
import { aRuleInput } from './alert-rule.js';
import { aReport } from './crash-groups.js';
import type { GraphQLEndpoint } from './graphql-server.js';

/** Everything that changes what is counted of crashes, as steps that fast-check puts into sequences. */

/** Some more often than others: most counters only show a mistake when they have counted to two. */
const PLACES = ['a', 'a', 'a', 'b', 'b', 'c'];
const VERSIONS = ['1.0.0', '1.0.0', '1.1.0'];
const DEVICES = 3;
const MODELS = 2;

/** Which of what is there when the step begins, as a fraction of all. */
const pick = fc.double({ min: 0, max: 0.999, noNaN: true });
const reading = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant('read' as const),
      place: fc.constantFrom(...PLACES),
      /** Read with a build that matches: its version is counted, whatever the device reported. Null: without one. */
      build: fc.option(fc.constantFrom(...VERSIONS, '2.0.0'), { freq: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('without a report' as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('failed' as const) }) },
  /** Without its firmware, and with a report of what the dump alone tells. */
  { weight: 2, arbitrary: fc.record({ is: fc.constant('waiting' as const) }) },
);
const device = fc.nat(DEVICES - 1);

export const crashStep = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      does: fc.constant('crash' as const),
      device,
      version: fc.constantFrom(...VERSIONS),
      /** Null: it waits, and may go unread. */
      reading: fc.option(reading, { freq: 5 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('reparse' as const), dump: pick, reading }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('delete' as const), dump: pick }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('empty' as const), device }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('delete device' as const), device }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('change model' as const), device, model: fc.nat(MODELS - 1) }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('merge' as const), into: pick, other: pick }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('split' as const), fingerprint: pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('rename build' as const),
      build: pick,
      version: fc.constantFrom(...VERSIONS, '2.0.0'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('watch' as const), group: pick }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('resolve' as const), group: pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('regroup' as const), recipe: fc.integer({ min: 2, max: 4 }) }),
  },
);
export type CrashStep = typeof crashStep extends fc.Arbitrary<infer One> ? One : never;
type Reading = typeof reading extends fc.Arbitrary<infer One> ? One : never;

export interface SteppedFleet {
  models: Array<{ id: number; code: string }>;
  /** A device that is deleted has another in its place. */
  devices: UploadingDevice[];
}

export async function aSteppedFleet({ fleet }: Pick<GraphQLEndpoint, 'fleet'>): Promise<SteppedFleet> {
  const models = await Promise.all(Array.from({ length: MODELS }, () => fleet.aModel()));
  const [model] = models;
  if (model === undefined) throw new Error('a fleet without a model');
  const devices = Array.from({ length: DEVICES }, () => anotherDevice({ fleet }, model));
  return { models, devices: await Promise.all(devices) };
}

/** What a person may be answered; anything else is a fault of ours. */
const REFUSALS = ['BAD_USER_INPUT', 'NOT_FOUND', 'CONFLICT'];

/** Takes a step; one that asks for what is not there, or not any more, is refused and changes nothing. */
export async function takeStep(endpoint: GraphQLEndpoint, all: SteppedFleet, step: CrashStep): Promise<void> {
  try {
    await take(endpoint, all, step);
  } catch (error) {
    if (!(error instanceof DomainError && REFUSALS.includes(error.code))) throw error;
  }
}

let serial = 0;

async function take(endpoint: GraphQLEndpoint, all: SteppedFleet, step: CrashStep): Promise<unknown> {
  switch (step.does) {
    case 'crash': {
      const uploading = all.devices[step.device];
      if (uploading === undefined) return;
      serial += 1;
      const { coredump } = await endpoint.coredumps.save({
        device: uploading,
        chip: 'esp32c3',
        firmwareVersion: step.version,
        idempotencyKey: null,
        body: (async function* () {
          yield Buffer.from(`dump ${serial}`);
        })(),
      });
      return step.reading === null ? undefined : read(endpoint, coredump.id, step.reading);
    }
    case 'reparse': {
      const id = await pickOf(endpoint, 'dump', step.dump);
      await endpoint.state.reset({ id });
      return read(endpoint, id, step.reading);
    }
    case 'delete':
      return endpoint.coredumps.delete(await pickOf(endpoint, 'dump', step.dump));
    case 'empty':
      return endpoint.coredumps.deleteAllOf(all.devices[step.device]?.id ?? 0);
    case 'delete device': {
      const gone = all.devices[step.device];
      const [model] = all.models;
      if (gone === undefined || model === undefined) return;
      all.devices[step.device] = await anotherDevice(endpoint, model);
      return endpoint.devices.deleteDevice(gone.id);
    }
    case 'change model': {
      const [moved, model] = [all.devices[step.device], all.models[step.model]];
      if (moved === undefined || model === undefined) return;
      await endpoint.devices.updateDevice(moved.id, { modelCode: model.code });
      if (all.devices[step.device] === moved) {
        all.devices[step.device] = { ...moved, modelId: model.id, modelCode: model.code };
      }
      return;
    }
    case 'rename build': {
      const builds = await endpoint.db.firmware.findMany({ orderBy: { id: 'asc' }, select: { id: true } });
      const build = builds[Math.floor(step.build * builds.length)];
      return endpoint.firmwares.update(build?.id ?? 0, { version: step.version });
    }
    case 'merge':
      return endpoint.crashGroups.merge(await pickOf(endpoint, 'group', step.into), [
        await pickOf(endpoint, 'group', step.other),
      ]);
    case 'split': {
      const signatures = await endpoint.db.crashSignature.findMany({ orderBy: { id: 'asc' } });
      const signature = signatures[Math.floor(step.fingerprint * signatures.length)];
      return endpoint.crashGroups.split(signature?.groupId ?? 0, [signature?.fingerprint ?? '']);
    }
    case 'resolve':
      return endpoint.crashGroups.resolve(await pickOf(endpoint, 'group', step.group), null);
    case 'watch':
      return endpoint.alerts.create(
        aRuleInput({ spikeCount: 2, groupId: await pickOf(endpoint, 'group', step.group) }),
      );
    case 'regroup':
      return regroup(endpoint, step.recipe);
  }
}

async function anotherDevice(
  { fleet }: Pick<GraphQLEndpoint, 'fleet'>,
  model: { id: number; code: string },
): Promise<UploadingDevice> {
  return { ...(await fleet.aDevice(model)), modelCode: model.code };
}

/** As the pipeline does; the dump may have gone, or been taken by somebody else, at every step. */
async function read(endpoint: GraphQLEndpoint, id: number, read: Reading): Promise<void> {
  const [task] = await endpoint.state.tasksOf([id]);
  if (task === undefined) return;
  const build = read.is === 'read' && read.build !== null ? await aBuildFor(endpoint, id, read.build) : null;
  const hold = endpoint.state.hold(task);
  await endpoint.state.begin(hold, 3);
  const place = read.is === 'read' ? read.place : read.is === 'waiting' ? 'd' : null;
  const report = place === null ? null : { ...aReport({ place }), elfMatches: build !== null };
  const errorKind = read.is === 'failed' ? 'failed' : read.is === 'waiting' ? 'missing_firmware' : null;
  await endpoint.state.finish(hold, {
    status: errorKind === null ? 'PARSED' : 'ERROR',
    errorKind,
    text: { output: 'the output', report },
    firmwareId: build?.id ?? null,
    appElfSha256: null,
    dumpChip: null,
    kind: null,
  });
}

async function aBuildFor({ db, fleet }: GraphQLEndpoint, coredumpId: number, version: string) {
  const found = await db.coredump.findUnique({ where: { id: coredumpId }, select: { device: true } });
  const dump = wholeRow(found, 'device');
  return dump === null ? null : fleet.aFirmware({ id: dump.device.modelId }, { version });
}

async function regroup(endpoint: GraphQLEndpoint, recipe: number): Promise<void> {
  serial += 1;
  const failures: string[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void failures.push(line) });
  const job = createRegroupJob({
    database: { db: endpoint.db, now: async () => new Date() },
    owner: `regroup ${serial}`,
    now: () => new Date(),
    log,
    alerts: endpoint.groupAlerts,
    recipe: {
      version: `v${recipe}`,
      // Each tells apart what the others do not.
      of: ({ fingerprint }) => {
        const place = fingerprint.split(':').at(1);
        return `v${recipe}:${'abcde'.indexOf(place?.[0] ?? '') % recipe}`;
      },
    },
  });
  await job.restart();
  await job.idle();
  await job.close();
  if (failures.length > 0) throw new Error(`regrouping failed: ${failures.join(' ')}`);
}

async function pickOf(endpoint: GraphQLEndpoint, what: 'dump' | 'group', at: number): Promise<number> {
  const rows =
    what === 'dump'
      ? await endpoint.db.coredump.findMany({ orderBy: { id: 'asc' }, select: { id: true } })
      : await endpoint.db.crashGroup.findMany({ orderBy: { id: 'asc' }, select: { id: true } });
  return rows[Math.floor(at * rows.length)]?.id ?? 0;
}
