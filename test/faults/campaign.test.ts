import { describe, expect, it, onTestFinished } from 'vitest';
import { startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { eventually } from '../support/app.js';
import type { Program } from '../support/program.js';
import { startS3Server } from '../support/s3-server.js';
import { everyDump, withoutBytes } from './dumps.js';
import { FAULTS, type Fault } from './faults.js';
import { type Acknowledged, lossesOf, rowOf, type ShownDump } from './ledger.js';
import { crashingDevices } from './load.js';
import { aDashboard } from './subscriber.js';
import { endlessWork, miscounts } from './work.js';
import { aWorld, DEVICES, MAX_COREDUMPS, type World } from './world.js';

/** `npm run test:faults` has 100 with each database; `npm test` a few, since each takes some seconds. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 3);
const ONLY = process.env.FAULT_ONLY;
const LIMIT_MS = 180_000;

describe('under fire nothing acknowledged is lost', () => {
  it.for(['sqlite', 'postgresql', 's3'] as const)(
    `with %s, ${ROUNDS} rounds`,
    { timeout: (ROUNDS + 1) * LIMIT_MS },
    async (form, { skip }) => {
      // Two servers on PostgreSQL, with their files on S3 as well.
      const cluster = form === 'sqlite' ? null : await startPostgresql();
      if (form !== 'sqlite' && cluster === null) skip(NO_POSTGRESQL);
      onTestFinished(async () => cluster?.close());
      const s3 = form === 's3' ? await startS3Server() : null;
      onTestFinished(async () => s3?.close());
      const world = await aWorld(cluster, s3);
      const faults = FAULTS.filter(({ name }) => ONLY === undefined || name.includes(ONLY)).filter(
        (fault) => {
          const reason = fault.missing(world);
          if (reason !== null && !reason.startsWith('is about')) tell(`SKIPPED: ${fault.name}: ${reason}`);
          return reason === null;
        },
      );
      const acknowledged: Acknowledged[] = [];
      const parsed = new Set<string>();
      const losses: string[] = [];
      const dashboards = [0, 1].map((index) => aDashboard(() => world.urls()[index] ?? world.urls()[0]));
      // A few rounds are to be about S3 where there is S3.
      const shift = form === 's3' ? firstOfS3(faults) : Math.floor(Math.random() * faults.length);

      for (let round = 0; round < ROUNDS; round++) {
        const fault = faults[(round + shift) % faults.length];
        if (fault === undefined) throw new Error('there are faults');
        const before = acknowledged.length;
        const load = crashingDevices({ devices: [...DEVICES, ...DEVICES], urls: world.urls, acknowledged });
        const struck = await fault.strike(world).then(
          () => [],
          (error: unknown) => [String(error)],
        );
        const fallen = world.fallen().map((index) => `server ${index} ended by itself`);
        await world.mend();
        await eventually(
          async () => acknowledged.length >= before + 10,
          `uploads go on after ${fault.name}`,
          { limitMs: LIMIT_MS },
        );
        await load.stop();

        const found = [
          ...struck,
          ...fallen,
          ...(await judge(world, acknowledged, parsed)),
          ...(await disbelieved(world, dashboards)),
          ...(await endlessWork(world, dashboards)),
          ...(await miscounts(world)),
          ...world.fallen().map((index) => `server ${index} ended by itself`),
        ].map((loss) => `${fault.name}: ${loss}`);
        losses.push(...found);
        tell(
          `${form}, round ${round + 1}, ${fault.name}: ${acknowledged.length - before} uploads, ${load.refused()} refused or cut, ${found.length} losses`,
        );
        for (const loss of found) tell(loss);
        if (found.length > 0) for (const line of complaintsOf(world)) tell(line);
      }
      for (const dashboard of dashboards) await dashboard.stop();
      losses.push(...(await leftovers(world)));
      tell(
        `${form}: ${ROUNDS} rounds, ${acknowledged.length} uploads acknowledged, ${parsed.size} seen parsed, ${losses.length} losses`,
      );

      expect(losses, someOf(losses)).toEqual([]);
      expect(parsed.size).toBeGreaterThan(0);
    },
  );
});

/** A few of each kind: a report of failed tests may have no more than their message. */
function someOf(losses: readonly string[]): string {
  const kindOf = (loss: string) => loss.replace(/\d+/g, '').slice(0, 80);
  const kinds = [...new Set(losses.map(kindOf))].map((kind) =>
    losses.filter((loss) => kindOf(loss) === kind),
  );
  return kinds.map((all) => `${all.length} x ${all.slice(0, 2).join(' | ').slice(0, 300)}`).join('\n');
}

function firstOfS3(faults: readonly Fault[]): number {
  return Math.max(
    0,
    faults.findIndex(({ name }) => name.startsWith('S3')),
  );
}

/** Rows and bytes of what was acknowledged, once every parse has ended. */
async function judge(
  world: World,
  acknowledged: readonly Acknowledged[],
  parsed: Set<string>,
): Promise<string[]> {
  const server = upOf(world);
  let shown: ShownDump[] = [];
  const losses: string[] = [];
  await eventually(
    async () => {
      shown = await everyDump(server).catch(() => []);
      return shown.length > 0 && shown.every(({ parseStatus }) => parseStatus !== 'PENDING');
    },
    'the end of every parse',
    { limitMs: LIMIT_MS, everyMs: 100 },
  ).catch(() => {
    const pending = shown.filter(({ parseStatus }) => parseStatus === 'PENDING');
    losses.push(`${pending.length} dumps stay PENDING: ${pending.map(({ id }) => rowOf(id)).join(', ')}`);
  });
  losses.push(...lossesOf(acknowledged, shown, MAX_COREDUMPS));
  for (const dump of shown) {
    if (dump.parseStatus === 'PARSED') parsed.add(dump.id);
  }
  losses.push(...(await withoutBytes(server, shown)));
  return losses;
}

/** Dumps of which a subscriber believes something else than what is true, and goes on believing it. */
async function disbelieved(
  world: World,
  dashboards: ReadonlyArray<ReturnType<typeof aDashboard>>,
): Promise<string[]> {
  let wrong: string[] = [];
  await eventually(
    async () => {
      const shown = await everyDump(upOf(world));
      wrong = dashboards.flatMap(({ believed }, index) =>
        shown
          .filter(({ id, parseStatus }) => believed.get(id) !== parseStatus)
          .map(
            ({ id, parseStatus }) =>
              `subscriber ${index} believes ${believed.get(id)} of ${rowOf(id)}, which is ${parseStatus}`,
          ),
      );
      return wrong.length === 0;
    },
    'what subscribers believe',
    { limitMs: LIMIT_MS, everyMs: 100 },
  ).catch(() => {});
  return wrong;
}

/** Files without a row, and rows without a file, after the sweep of a start that takes everything for old. */
async function leftovers(world: World): Promise<string[]> {
  for (const index of world.servers.keys()) await world.stop(index, 'SIGTERM');
  await world.age();
  await world.mend();
  const files = await world.files();
  const rows = (await everyDump(upOf(world)))
    .map(({ device, filename }) => `${device.key}/${filename}`)
    .sort();
  return [
    ...files.filter((file) => !rows.includes(file)).map((file) => `${file} has no row and was not swept`),
    ...rows.filter((row) => !files.includes(row)).map((row) => `${row} has no file`),
  ];
}

/** What the servers had to complain of lately: for whoever looks for the cause of a loss. */
function complaintsOf({ servers }: World): string[] {
  return servers.flatMap((server, index) =>
    (server?.log() ?? '')
      .split('\n')
      // Its own complaints, and what Node says of a process that it ends.
      .filter((line) => /"level":[456]0|^\S*Error|^ {4}at /.test(line))
      .slice(-20)
      .map((line) => `server ${index}: ${line.slice(0, 400)}`),
  );
}

function upOf({ servers }: World): Program {
  const server = servers.find((candidate) => candidate != null);
  if (server == null) throw new Error('a server is up');
  return server;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
