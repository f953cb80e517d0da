import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DEEP_VARIABLES, QUERIES_OF_DEATH } from '../graphql/queries-of-death.js';
import { upload } from '../support/app.js';
import { aSocket, statusOf } from '../support/http.js';
import { aProgram, type Program } from '../support/program.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const PATH = '/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=';
/** Rounds of what the honest client does, in calm and again under fire. */
const ROUNDS = 60;

/** Made beforehand: making it would keep this process, which also takes the times, busy. */
const BOMB = gzipSync(Buffer.alloc(64_000_000));

/** One abusive request: what became of it, as a status; 0 for a connection that was cut. */
type Abuse = (program: Program) => Promise<number>;

const post = async ({ url }: Program, body: string, headers: Record<string, string> = JSON_TYPE) =>
  (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).status;

const raw = async ({ url }: Program, bytes: string) => {
  const { send, closed, socket } = aSocket(url);
  send(bytes);
  const status = statusOf(await closed);
  socket.destroy();
  return status;
};

const dump = (program: Program, body: Uint8Array | string, headers: Record<string, string> = {}) =>
  upload(program, body, { device: 'abuser', headers }).then(({ status }) => status);

/** GraphQL answers what it refuses with 200, by its own rules; that it refused, its tests say. */
const QUERIES: Abuse[] = QUERIES_OF_DEATH.map(
  ([, , query, variables]) =>
    (program) =>
      post(program, JSON.stringify({ query, variables })),
);

const OTHERS: Abuse[] = [
  (program) => post(program, DEEP_VARIABLES),
  (program) => post(program, '['.repeat(900_000)),
  (program) => post(program, `{"query":"${'x'.repeat(2_000_000)}"}`),
  (program) =>
    post(program, JSON.stringify(Array.from({ length: 1_000 }, () => ({ query: '{ __typename }' })))),
  (program) => post(program, 'query=1', { 'Content-Type': 'text/plain' }),
  (program) => post(program, '--b\r\n'.repeat(50_000), { 'Content-Type': 'multipart/form-data; boundary=b' }),
  (program) =>
    post(program, `--b\r\nX: ${'x'.repeat(500_000)}\r\n\r\n--b--`, {
      'Content-Type': 'multipart/form-data; boundary=b',
    }),
  (program) => dump(program, Buffer.alloc(3_000_000)),
  (program) => dump(program, BOMB, { 'Content-Encoding': 'gzip' }),
  (program) => dump(program, 'no gzip', { 'Content-Encoding': 'gzip' }),
  (program) => dump(program, ''),
  (program) => dump(program, 'x', { Authorization: `Bearer ${'a'.repeat(500)}` }),
  (program) => raw(program, `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}\r\n`),
  (program) => raw(program, `GET /graphql?query=${'x'.repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
  (program) =>
    raw(
      program,
      `POST ${PATH}abuser HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ),
  (program) =>
    raw(program, `POST ${PATH}abuser HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`),
  (program) => raw(program, '\0'.repeat(10_000)),
  flood,
];

/** A WebSocket that sends what nobody needs until it is closed. */
function flood({ url }: Program): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => {});
  socket.once('open', () => {
    for (let message = 0; message < 1_000; message++) socket.send('{"type":"ping"}');
  });
  return new Promise((resolve) => socket.once('close', () => resolve(0)));
}

describe('under fire of more than a hundred abusive requests', () => {
  it('the server answers every honest request, and lives', { timeout: 300_000 }, async () => {
    const program = await aProgram('serve');
    await register(program, ['honest', 'abuser']);
    await honestRounds(program, 10);
    const slow = Array.from({ length: 100 }, () => aSocket(program.url));

    const calm = await honestRounds(program, ROUNDS);
    for (const { send } of slow)
      send(`POST ${PATH}abuser HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nx`);
    const abusing = abuse(program, [...QUERIES, ...OTHERS, ...QUERIES, ...OTHERS, ...QUERIES]);
    const underFire = await honestRounds(program, ROUNDS);
    const statuses = await abusing;
    for (const { socket } of slow) socket.destroy();

    expect(statuses.length + slow.length).toBeGreaterThan(200);
    expect(statuses.filter((status) => status >= 500 && status !== 503)).toEqual([]);
    expect([...calm.statuses, ...underFire.statuses].filter((status) => status >= 300)).toEqual([]);
    expect(program.process.exitCode).toBeNull();
    const figure = (name: string, { latencies }: typeof calm) =>
      `${name}: p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`;
    process.stdout.write(
      `abuse: ${statuses.length} requests and ${slow.length} slow senders; honest ${figure('calm', calm)}; ${figure('under fire', underFire)}\n`,
    );
  });
});

/** A few at a time, as one machine would; each is awaited, so that the test knows what became of all. */
async function abuse(program: Program, kinds: readonly Abuse[]): Promise<number[]> {
  const left = [...kinds];
  const statuses: number[] = [];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      // A connection that the server broke off is one of the answers that an abuser gets.
      statuses.push(await next(program).catch(() => 0));
    }
  };
  await Promise.all([worker(), worker()]);
  return statuses;
}

/** What a device and a dashboard do: a dump, the list of dumps, and whether the server is well. */
async function honestRounds(program: Program, rounds: number) {
  const statuses: number[] = [];
  const latencies: number[] = [];
  const timed = async (method: string, path: string, body = '', headers: Record<string, string> = {}) => {
    const begun = performance.now();
    statuses.push(await ask(`${program.url}${path}`, { method, headers, body }));
    latencies.push(performance.now() - begun);
  };
  const query = '{ coredumps(first: 20) { nodes { id filename parseStatus device { key } } } }';
  for (let round = 0; round < rounds; round++) {
    await timed('POST', `${PATH}honest`, `dump ${round} ${Math.random()}`);
    await timed('POST', '/graphql', JSON.stringify({ query }), JSON_TYPE);
    await timed('GET', '/healthz');
  }
  return { statuses, latencies };
}

/** On a connection of its own: the abusers of this process share fetch's, and theirs are broken off. */
function ask(url: string, { method, headers, body }: { method: string; headers: object; body: string }) {
  return new Promise<number>((resolve, reject) => {
    const outgoing = request(url, { method, headers: { ...headers }, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.once('error', reject).end(body);
  });
}

async function register(program: Program, keys: readonly string[]): Promise<void> {
  await program.graphql('mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { id } }');
  for (const key of keys) {
    await program.graphql(
      'mutation ($key: String!) { createDevice(input: { modelCode: "pump", key: $key }) { token } }',
      { key },
    );
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
