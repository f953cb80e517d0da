import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { readFixtures } from '../fuzz/corpus.js';
import { ourReader, readerOf } from './built-reader.js';
import { type Cost, FLEET, OURS, ROUNDS, timed, WARM_UP } from './dashboard.js';
import { earlierBuild } from './earlier-build.js';
import { deliveries } from './fan-out.js';
import { register } from './fleet.js';
import { withFolder } from './folder.js';
import { quantile } from './load.js';
import { measure } from './measure.js';
import { adoptSeeded, coredockServer, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';
import { seed } from './seed.js';
import { DEVICES, uploadsInTurns } from './uploads.js';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const FAN_OUT_ROUNDS = 5;
const COLD_RUNS = 15;
const WARM_RUNS = 300;

interface Build {
  dist: string;
  program: string;
}

/** The two builds; each round runs both, one after the other. */
interface Builds {
  ours: Build;
  before: Build;
}

/**
 * This build beside an earlier one (BASELINE), in turns in the same run, by processor time where that can be had: it
 * depends less on what else runs than the time on a clock.
 */
export async function before(): Promise<Result[]> {
  const baseline = earlierBuild();
  if ('missing' in baseline) return [skipped('ours / an earlier build', baseline.missing)];
  const builds = { ours: { dist: DIST, program: join(DIST, 'coredock.cjs') }, before: baseline };
  return [
    await uploads(builds),
    await dashboardQuery(builds),
    await fanOut(builds),
    ...(await reading(builds)),
  ];
}

async function uploads(builds: Builds): Promise<Result> {
  return withServers(builds, async (peers) => {
    for (const peer of Object.values(peers)) await register(peer, DEVICES);
    const rounds = await uploadsInTurns(peers);
    const median = (of: (round: (typeof rounds)[number]) => number) => quantile(rounds.map(of), 0.5);
    return ratio(
      'processor time of an upload, 64 KiB, 32 in flight, SQLite',
      median(({ ours, before }) => ours.cpuMs / before.cpuMs),
      `${median((r) => r.ours.cpuMs).toFixed(2)} against ${median((r) => r.before.cpuMs).toFixed(2)} ms; ` +
        `${median((r) => r.ours.perSecond).toFixed(0)} against ${median((r) => r.before.perSecond).toFixed(0)} uploads/s`,
    );
  });
}

/** The query of `dashboard.ts`, of both builds on one PostgreSQL. */
async function dashboardQuery(builds: Builds): Promise<Result> {
  const what = 'processor time of devices(first: 200) { coredumps(first: 20) }, PostgreSQL';
  const cluster = await startPostgresql();
  if (cluster === null) return skipped(what, NO_POSTGRESQL);
  try {
    const url = await createDatabase(cluster.url);
    await seed(url, FLEET);
    return await withFolder(async (dir) => {
      await adoptSeeded(dir, { DATABASE_URL: url });
      const peers = {
        ours: await coredockServer(dir, { DATABASE_URL: url }, process.execPath, builds.ours.program),
        before: await coredockServer(dir, { DATABASE_URL: url }, process.execPath, builds.before.program),
      };
      try {
        const costs: Record<keyof Builds, Cost[]> = { ours: [], before: [] };
        for (let round = 0; round < WARM_UP + ROUNDS; round++) {
          const [ours, before] = [await timed(peers.ours, OURS), await timed(peers.before, OURS)];
          if (round < WARM_UP) continue;
          costs.ours.push(ours);
          costs.before.push(before);
        }
        const [ours, before] = [meanCpu(costs.ours), meanCpu(costs.before)];
        const median = (of: Cost[]) =>
          quantile(
            of.map(({ ms }) => ms),
            0.5,
          ).toFixed(0);
        return ratio(
          what,
          ours / before,
          `${ours.toFixed(1)} against ${before.toFixed(1)} ms; answered in ${median(costs.ours)} and ${median(costs.before)} ms`,
        );
      } finally {
        await Promise.all(Object.values(peers).map((peer) => peer.stop()));
      }
    });
  } finally {
    await cluster.close();
  }
}

async function fanOut(builds: Builds): Promise<Result> {
  const seen: Record<keyof Builds, Array<{ p99: number; cpuMicros: number }>> = { ours: [], before: [] };
  for (let round = 0; round < FAN_OUT_ROUNDS; round++) {
    for (const name of ['before', 'ours'] as const) {
      await withFolder(async (dir) => {
        const server = await coredockServer(dir, {}, process.execPath, builds[name].program);
        try {
          const { delays, cpuMicros } = await deliveries(server, [server]);
          seen[name].push({ p99: quantile(delays, 0.99), cpuMicros });
        } finally {
          await server.stop();
        }
      });
    }
  }
  const median = (name: keyof Builds, of: 'p99' | 'cpuMicros') =>
    quantile(
      seen[name].map((round) => round[of]),
      0.5,
    );
  return ratio(
    'processor time of an event for one of 1,000 subscribers, SQLite',
    median('ours', 'cpuMicros') / median('before', 'cpuMicros'),
    `${median('ours', 'cpuMicros').toFixed(0)} against ${median('before', 'cpuMicros').toFixed(0)} µs; ` +
      `p99 ${median('ours', 'p99').toFixed(0)} against ${median('before', 'p99').toFixed(0)} ms`,
  );
}

/** A dump of a C++ program, by a new process and by a warm one that knows the ELF. */
async function reading(builds: Builds): Promise<Result[]> {
  const [specimen] = readFixtures().filter(({ name }) => name === 'gateway-0.3.0-null-pointer.dmp');
  if (specimen === undefined) throw new Error('the fixture is missing');
  return withFolder(async (dir) => {
    const files = { core: join(dir, 'core.dmp'), elf: join(dir, 'firmware.elf') };
    await writeFile(files.core, specimen.core);
    await writeFile(files.elf, specimen.elf);
    const cold = async ({ program }: Build) =>
      (await measure([process.execPath, program, 'parse', '--core', files.core, '--elf', files.elf])).ms;
    const readers = {
      ours: await warmReader(ourReader),
      before: await warmReader(() => readerOf(builds.before.dist)),
    };
    const warm = async (name: keyof Builds) => readers[name](specimen.core, specimen.elf);
    return [
      await inTurns('`coredock parse` by a new process', COLD_RUNS, (name) => cold(builds[name])),
      await inTurns('a dump by a warm reader that knows the ELF', WARM_RUNS, warm),
    ];
  });
}

async function warmReader(open: typeof ourReader) {
  const { openFirmware, readCrashDump } = await open();
  let firmware: ReturnType<typeof openFirmware> | null = null;
  return (core: Uint8Array, elf: Uint8Array): number => {
    firmware ??= openFirmware(elf);
    const begun = performance.now();
    readCrashDump({ core, elf: firmware });
    return performance.now() - begun;
  };
}

async function inTurns(
  what: string,
  rounds: number,
  run: (name: keyof Builds) => Promise<number>,
): Promise<Result> {
  const times: Record<keyof Builds, number[]> = { ours: [], before: [] };
  for (let round = 0; round < rounds; round++) {
    times.before.push(await run('before'));
    times.ours.push(await run('ours'));
  }
  const [ours, before] = [quantile(times.ours, 0.5), quantile(times.before, 0.5)];
  return ratio(what, ours / before, `${ours.toFixed(2)} against ${before.toFixed(2)} ms`);
}

async function withServers<T>(
  builds: Builds,
  work: (peers: Record<keyof Builds, Peer>) => Promise<T>,
): Promise<T> {
  return withFolder(async (dir) => {
    const peers: Peer[] = [];
    const open = async (name: keyof Builds) => {
      await mkdir(join(dir, name));
      const peer = await coredockServer(join(dir, name), {}, process.execPath, builds[name].program);
      peers.push(peer);
      return peer;
    };
    try {
      return await work({ before: await open('before'), ours: await open('ours') });
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()));
    }
  });
}

function ratio(what: string, value: number, detail: string): Result {
  return {
    what: `${what}: ours / before`,
    value,
    hold: '≤ 1.05: not slower',
    holds: (seen) => seen <= 1.05,
    detail,
  };
}

function meanCpu(costs: readonly Cost[]): number {
  return costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / costs.length;
}
