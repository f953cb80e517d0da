import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { ask } from './ask.js';
import { register, sendDump, uploadFirmware } from './fleet.js';
import { withFolder } from './folder.js';
import { coredockServer, coredockStack, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/firmware', import.meta.url));
const DEVICES = 60;

/**
 * A backlog of dumps with their firmware on PostgreSQL, read by one server and by two, each with its sidecar and one
 * parse at a time: what a second machine adds. Here both share this machine's cores with PostgreSQL, so 2 is out of reach.
 */
export async function twoServers(): Promise<Result[]> {
  const what = 'parses/s: two servers / one, PostgreSQL';
  const cluster = await startPostgresql();
  if (cluster === null) return [skipped(what, NO_POSTGRESQL)];
  try {
    const one = await parsesPerSecond(1, await createDatabase(cluster.url));
    const two = await parsesPerSecond(2, await createDatabase(cluster.url));
    return [
      {
        what,
        value: two / one,
        unit: '×',
        hold: '> 1.2 on 2 cores',
        holds: (ratio) => ratio > 1.2,
        detail: `${one.toFixed(0)} against ${two.toFixed(0)} parses/s of our fixtures`,
      },
    ];
  } finally {
    await cluster.close();
  }
}

async function parsesPerSecond(servers: 1 | 2, url: string): Promise<number> {
  return withFolder(async (dir) => {
    process.stderr.write(`  backlog for ${servers === 1 ? 'one server' : 'two servers'} …\n`);
    const dumps = await backlog(dir, url);
    const stacks: Peer[] = [];
    try {
      // Each has its transfer folder beside the dumps, and may share it.
      const begun = performance.now();
      const environment = { DATABASE_URL: url, PARSE_CONCURRENCY: '1' };
      stacks.push(
        ...(await Promise.all(Array.from({ length: servers }, () => coredockStack(dir, environment)))),
      );
      const [first] = stacks;
      if (first === undefined) throw new Error('no server');
      const up = { ms: performance.now() - begun, pending: await pending(first) };
      const started = performance.now();
      await untilNone(first, up.pending);
      // What was read while the last server still started counts neither way.
      return Math.min(up.pending, dumps) / ((performance.now() - started) / 1000);
    } finally {
      await Promise.all(stacks.map((stack) => stack.stop()));
    }
  });
}

/** Tells every ten seconds how many are left, and gives up when none has been read for a minute. */
async function untilNone(server: Peer, atFirst: number): Promise<void> {
  let [left, readAt, toldAt] = [atFirst, performance.now(), performance.now()];
  while (left > 0) {
    await pause(100);
    const now = await pending(server);
    if (now < left) readAt = performance.now();
    if (performance.now() - readAt > 60_000) throw new Error(`none of ${now} dumps was read for a minute`);
    left = now;
    if (performance.now() - toldAt < 10_000) continue;
    process.stderr.write(`    ${left} of ${atFirst} dumps are left\n`);
    toldAt = performance.now();
  }
}

/** Taken in by a server that has no parser. @returns how many dumps */
async function backlog(dir: string, url: string): Promise<number> {
  const server = await coredockServer(dir, { DATABASE_URL: url });
  try {
    await register(server, DEVICES);
    await uploadFirmware(server.url, readFileSync(join(FIXTURES, 'thermostat-1.0.0.elf')));
    const dumps = readdirSync(FIXTURES)
      .filter((name) => /^thermostat-1\.0\.0-.*\.dmp$/.test(name))
      .map((name) => readFileSync(join(FIXTURES, name)));
    for (let device = 0; device < DEVICES; device++) {
      await Promise.all(dumps.map((dump) => sendDump(server.url, device, dump)));
    }
    return dumps.length * DEVICES;
  } finally {
    await server.stop();
  }
}

async function pending({ url }: Peer): Promise<number> {
  const data = await ask(url, '{ coredumps(first: 1, filter: { parseStatus: [PENDING] }) { totalCount } }');
  return (data as { coredumps: { totalCount: number } }).coredumps.totalCount;
}
