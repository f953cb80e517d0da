import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { register } from './fleet.js';
import { withFolder } from './folder.js';
import { quantile } from './load.js';
import { coredockServer, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';

const SUBSCRIBERS_PROGRAM = fileURLToPath(new URL('./subscribers.ts', import.meta.url));
const SUBSCRIBERS = 1_000;
const EVENTS = 40;
/** Between two uploads, so that each finds an idle server. */
const PAUSE_MS = 150;

/** A dump arrives, and 1,000 subscribers in another process receive it; from one server, and from two on PostgreSQL. */
export async function fanOut(): Promise<Result[]> {
  const one = await withFolder(async (dir) => {
    const server = await coredockServer(dir);
    try {
      return await measure('status change → 1,000 subscribers, p99, SQLite', server, [server]);
    } finally {
      await server.stop();
    }
  });
  const what = 'status change → 1,000 subscribers of two servers, p99, PostgreSQL';
  const cluster = await startPostgresql();
  if (cluster === null) return [one, skipped(what, NO_POSTGRESQL)];
  try {
    return [
      one,
      await withFolder(async (dir) => overTwoServers(what, dir, await createDatabase(cluster.url))),
    ];
  } finally {
    await cluster.close();
  }
}

async function overTwoServers(what: string, dir: string, url: string): Promise<Result> {
  const servers: Peer[] = [];
  try {
    for (let index = 0; index < 2; index++) servers.push(await coredockServer(dir, { DATABASE_URL: url }));
    const [first] = servers;
    if (first === undefined) throw new Error('no server');
    return await measure(what, first, servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function measure(what: string, uploadTo: Peer, servers: readonly Peer[]): Promise<Result> {
  const { delays, cpuMicros } = await deliveries(uploadTo, servers);
  return {
    what,
    value: quantile(delays, 0.99),
    unit: 'ms',
    hold: '< 50 ms',
    holds: (ms) => ms < 50,
    detail: `median ${quantile(delays, 0.5).toFixed(1)} ms, last ${quantile(delays, 1).toFixed(0)} ms after the 201; ${delays.length} events, none missing; ${cpuMicros.toFixed(0)} µs of the servers' processor time each`,
  };
}

/**
 * Uploads to one server, and 1,000 subscribers of all servers. The clock starts with the 201, which is sent right after
 * the commit.
 *
 * @returns milliseconds until each event came, and the servers' processor time an event in microseconds
 */
export async function deliveries(
  uploadTo: Peer,
  servers: readonly Peer[],
): Promise<{ delays: number[]; cpuMicros: number }> {
  await register(uploadTo, EVENTS);
  const subscribers = await subscribe(servers.map(({ url }) => url));
  const cpuMs = async () =>
    (await Promise.all(servers.map((server) => server.cpuMs()))).reduce((sum, ms) => sum + ms, 0);
  try {
    const cpuBefore = await cpuMs();
    const committed = new Map<string, number>();
    for (let index = 0; index < EVENTS; index++) {
      const { filename, at } = await uploadOne(uploadTo.url, index);
      committed.set(filename, at);
      await pause(PAUSE_MS);
    }
    await subscribers.until(EVENTS * SUBSCRIBERS);
    const delays = subscribers.events.map(({ filename, at }) =>
      Math.max(0, at - (committed.get(filename) ?? Number.NaN)),
    );
    return { delays, cpuMicros: (1_000 * ((await cpuMs()) - cpuBefore)) / delays.length };
  } finally {
    subscribers.stop();
  }
}

async function uploadOne(url: string, index: number): Promise<{ filename: string; at: number }> {
  const path = `/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=bench${index}`;
  const response = await fetch(url + path, { method: 'POST', body: `dump ${index} ${Math.random()}` });
  const at = performance.timeOrigin + performance.now();
  if (response.status !== 201) throw new Error(`answered ${response.status}`);
  const { filename } = (await response.json()) as { filename: string };
  return { filename, at };
}

interface Subscribers {
  events: Array<{ filename: string; at: number }>;
  /** Resolves when so many events have come; rejects when none comes any more. */
  until(count: number): Promise<void>;
  stop(): void;
}

async function subscribe(urls: readonly string[]): Promise<Subscribers> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', SUBSCRIBERS_PROGRAM, String(SUBSCRIBERS), ...urls],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('subscribers cannot be asked');
  const lines = createInterface({ input: stdout });
  const events: Subscribers['events'] = [];
  await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('the subscribers ended'))),
  ]);
  lines.on('line', (line) => {
    const [filename = '', at] = line.split(' ');
    events.push({ filename, at: Number(at) });
  });
  return {
    events,
    async until(count) {
      for (let seen = -1; events.length < count; ) {
        stdin.write('events?\n');
        await pause(2_000);
        if (events.length === seen)
          throw new Error(`${count - events.length} of ${count} events are missing`);
        seen = events.length;
      }
    },
    stop: () => child.kill('SIGKILL'),
  };
}
