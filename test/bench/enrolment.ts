import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { ask } from './ask.js';
import { uploadFirmware } from './fleet.js';
import { withFolder } from './folder.js';
import { quantile } from './load.js';
import { coredockServer, coredockStack, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/firmware', import.meta.url));
const DEVICES = Number(process.env.ENROLMENT_DEVICES ?? 10_000);
const READ_DEVICES = 1_000;
const IN_FLIGHT = 200;
const ELF = join(FIXTURES, 'thermostat-1.0.0.elf');

/**
 * Serials that nobody knows, by one ingest key: ten thousand that each send their first crash twice at the same time, to
 * two servers where the database allows it; and a thousand real dumps until each is a report.
 */
export async function enrolment(): Promise<Result[]> {
  const results = [await arrivals('SQLite, one server', 1), await reports()];
  const cluster = await startPostgresql();
  const what = `${DEVICES} new serials, PostgreSQL, two servers`;
  if (cluster === null) return [...results, skipped(what, NO_POSTGRESQL)];
  try {
    return [...results, await arrivals('PostgreSQL, two servers', 2, await createDatabase(cluster.url))];
  } finally {
    await cluster.close();
  }
}

function arrivals(where: string, count: 1 | 2, databaseUrl?: string): Promise<Result> {
  return withFolder(async (dir) => {
    process.stderr.write(`  ${DEVICES} devices: ${where} …\n`);
    const url = databaseUrl ?? `file:${join(dir, 'data', 'coredock.db')}`;
    const servers: Peer[] = [];
    for (let at = 0; at < count; at += 1) servers.push(await coredockServer(dir, { DATABASE_URL: url }));
    let seconds: number;
    let latencies: number[];
    let told: number;
    let cpuMs: number;
    try {
      const key = await anIngestKey(servers);
      const serials = Array.from({ length: DEVICES * 2 }, (_, at) => `SN-${Math.floor(at / 2)}`);
      const before = await cpuOf(servers);
      ({ seconds, latencies, told } = await sendAll(servers, key, serials, (serial) =>
        Buffer.from(`dump ${serial}`),
      ));
      cpuMs = (await cpuOf(servers)) - before;
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
    const database = await openDatabase(url);
    const [devices, dumps] = [await database.db.device.count(), await database.db.coredump.count()];
    await database.close();
    const once = `${devices} devices, ${dumps} dumps, ${told} answers with a key`;
    if (new Set([devices, dumps, told, DEVICES]).size > 1) throw new Error(`not each once: ${once}`);
    return {
      what: `${DEVICES} new serials, each sent twice at once, until the last 201: ${where}`,
      value: seconds,
      unit: 's',
      hold: '< 60 s',
      holds: (value) => value < 60,
      detail: `${once}; ${(latencies.length / seconds).toFixed(0)} uploads/s, p99 ${quantile(latencies, 0.99).toFixed(0)} ms, ${(cpuMs / DEVICES).toFixed(1)} ms of processor time a device`,
    };
  });
}

async function cpuOf(servers: readonly Peer[]): Promise<number> {
  const times = await Promise.all(servers.map((server) => server.cpuMs()));
  return times.reduce((sum, ms) => sum + ms, 0);
}

function reports(): Promise<Result> {
  return withFolder(async (dir) => {
    process.stderr.write(`  ${READ_DEVICES} devices until their reports …\n`);
    const server = await coredockStack(dir, {});
    try {
      const key = await anIngestKey([server]);
      await uploadFirmware(server.url, readFileSync(ELF));
      const dumps = readdirSync(FIXTURES)
        .filter((name) => /^thermostat-1\.0\.0-.*\.dmp$/.test(name))
        .map((name) => readFileSync(join(FIXTURES, name)));
      const serials = Array.from({ length: READ_DEVICES }, (_, at) => `SN-${at}`);
      const begun = performance.now();
      const { seconds } = await sendAll(
        [server],
        key,
        serials,
        (_, at) => dumps[at % dumps.length] ?? Buffer.alloc(0),
      );
      while ((await countOf(server, 'PENDING')) > 0) await pause(50);
      const all = (performance.now() - begun) / 1000;
      const parsed = await countOf(server, 'PARSED');
      return {
        what: `${READ_DEVICES} new serials, one key: reports that are PARSED`,
        value: parsed,
        hold: String(READ_DEVICES),
        holds: (value) => value === READ_DEVICES,
        detail: `201 for all after ${seconds.toFixed(1)} s, all reports after ${all.toFixed(1)} s; SQLite, one server`,
      };
    } finally {
      await server.stop();
    }
  });
}

async function anIngestKey([server]: readonly Peer[]): Promise<string> {
  if (server === undefined) throw new Error('no server');
  await ask(
    server.url,
    'mutation { createDeviceModel(input: { code: "bench", name: "Bench" }) { __typename } }',
  );
  const data = await ask(
    server.url,
    `mutation { createIngestKey(input: { modelCode: "bench", name: "bench", newDevicesPerHour: ${DEVICES} }) { key } }`,
  );
  return (data as { createIngestKey: { key: string } }).createIngestKey.key;
}

async function countOf({ url }: Peer, status: string): Promise<number> {
  const data = await ask(url, `{ coredumps(first: 1, filter: { parseStatus: [${status}] }) { totalCount } }`);
  return (data as { coredumps: { totalCount: number } }).coredumps.totalCount;
}

/** @returns how long it took, and how many answers had the key of a device that they registered */
async function sendAll(
  servers: readonly Peer[],
  key: string,
  serials: readonly string[],
  bodyOf: (serial: string, at: number) => Buffer,
) {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const latencies: number[] = [];
  let [next, told] = [0, 0];
  const worker = async () => {
    for (let at = next++; at < serials.length; at = next++) {
      const [serial, server] = [serials[at] ?? '', servers[at % servers.length]];
      if (server === undefined) throw new Error('no server');
      const url = `${server.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_serial=${serial}`;
      const begun = performance.now();
      const answer = await post(agent, url, { key, body: bodyOf(serial, at) });
      latencies.push(performance.now() - begun);
      if (answer.includes('"device":{"key"')) told += 1;
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const seconds = (performance.now() - begun) / 1000;
  agent.destroy();
  return { seconds, latencies, told };
}

function post(agent: Agent, url: string, { key, body }: { key: string; body: Buffer }): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${key}`, 'Content-Length': body.length };
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => {
          text += part;
        })
        .once('end', () => {
          if (response.statusCode === 201) resolve(text);
          else reject(new Error(`answered ${response.statusCode}: ${text}`));
        });
    });
    outgoing.once('error', reject).end(body);
  });
}
