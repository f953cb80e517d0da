import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { ask } from './ask.js';
import { quantile } from './load.js';
import { nodePackage, npmFolder } from './npm-folder.js';
import { adoptSeeded, coredockServer, type Peer, start } from './processes.js';
import { type Result, skipped } from './result.js';
import { seed } from './seed.js';

const POSTGRAPHILE = fileURLToPath(new URL('./postgraphile-server.mjs', import.meta.url));
const PACKAGES = ['postgraphile@5.1.5', 'graphql@16.15.0', `${nodePackage()}@24`];
export const FLEET = { devices: 5_000, dumps: 100_000 };
export const WARM_UP = 30;
export const ROUNDS = 60;

/** The same six fields of the same rows; PostGraphile names them after the tables. */
const FIELDS = 'filename chip firmwareVersion size parseStatus uploadedAt';
export const OURS = `{ devices(first: 200) { nodes { key coredumps(first: 20) { nodes { ${FIELDS} } } } } }`;
const THEIRS = `{ devices: allDevices(first: 200, orderBy: PRIMARY_KEY_DESC) { nodes { key
  coredumps: coredumpsByDeviceId(first: 20, orderBy: PRIMARY_KEY_DESC) { nodes { ${FIELDS} } } } } }`;

/** What a dashboard asks: 200 devices with the latest 20 dumps of each, 4,000 dumps in all. */
export async function dashboard(): Promise<Result[]> {
  const what = 'devices(first: 200) { coredumps(first: 20) }: PostGraphile / ours';
  const tools = npmFolder(PACKAGES);
  if (tools === null)
    return [skipped(what, 'PostGraphile and Node 24 could not be had from the npm registry')];
  const cluster = await startPostgresql();
  if (cluster === null) return [skipped(what, NO_POSTGRESQL)];
  const dir = await mkdtemp(join(tmpdir(), 'coredock-bench-'));
  const peers: Peer[] = [];
  try {
    const url = await createDatabase(cluster.url);
    await seed(url, FLEET);
    await adoptSeeded(dir, { DATABASE_URL: url });
    // PostGraphile 5 answers with errors only on Node 20, so both run on Node 24.
    const node = join(tools, 'node_modules', nodePackage(), 'bin/node');
    const ours = await coredockServer(dir, { DATABASE_URL: url }, node);
    peers.push(ours);
    const theirs = await start({
      name: 'PostGraphile',
      node,
      args: [POSTGRAPHILE, tools],
      cwd: dir,
      environment: { DATABASE_URL: url, NODE_ENV: 'production', GRAPHILE_ENV: 'production' },
      up: /listening (http:\S+)/,
    });
    peers.push(theirs);
    return [await compare(what, ours, theirs)];
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await cluster.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function compare(what: string, ours: Peer, theirs: Peer): Promise<Result> {
  const [a, b] = [await ask(ours.url, OURS), await ask(theirs.url, THEIRS)];
  if (countDumps(a) !== 4_000 || countDumps(b) !== 4_000)
    throw new Error('not the 4,000 dumps that were asked for');
  const times: Record<'ours' | 'theirs', Cost[]> = { ours: [], theirs: [] };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const cost = { ours: await timed(ours, OURS), theirs: await timed(theirs, THEIRS) };
    if (round < WARM_UP) continue;
    times.ours.push(cost.ours);
    times.theirs.push(cost.theirs);
  }
  const of = (costs: readonly Cost[], key: keyof Cost, q: number) =>
    quantile(
      costs.map((cost) => cost[key]),
      q,
    );
  const shown = (costs: readonly Cost[]) =>
    `${of(costs, 'ms', 0.5).toFixed(0)} ms, p95 ${of(costs, 'ms', 0.95).toFixed(0)} ms, CPU ${mean(costs).toFixed(0)} ms`;
  return {
    what,
    value: of(times.theirs, 'ms', 0.5) / of(times.ours, 'ms', 0.5),
    hold: '> 1',
    holds: (ratio) => ratio > 1,
    detail: `ours ${shown(times.ours)}; PostGraphile 5.1.5 ${shown(times.theirs)}; Node 24, 100,000 rows, 2 SQL statements (a test counts them)`,
  };
}

export interface Cost {
  ms: number;
  cpuMs: number;
}

export async function timed(peer: Peer, query: string): Promise<Cost> {
  const [cpu, begun] = [await peer.cpuMs(), performance.now()];
  await ask(peer.url, query);
  return { ms: performance.now() - begun, cpuMs: (await peer.cpuMs()) - cpu };
}

function mean(costs: readonly Cost[]): number {
  return costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / costs.length;
}

function countDumps(data: unknown): number {
  const { devices } = data as { devices: { nodes: Array<{ coredumps: { nodes: unknown[] } }> } };
  return devices.nodes.reduce((sum, { coredumps }) => sum + coredumps.nodes.length, 0);
}
