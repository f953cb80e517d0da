import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fillWithTexts } from '../support/fleet-of-texts.js';
import { aSocket } from '../support/http.js';
import { aProgram, type Program } from '../support/program.js';
import type { Order, Report } from './abuser.js';
import { ABUSES, COSTLY, LONGEST_ANSWER, UPLOAD_PATH } from './abuses.js';

const ABUSER = fileURLToPath(new URL('./abuser.ts', import.meta.url));
/** How often calm and fire take turns, and rounds of what the honest client does in each. */
const [TURNS, ROUNDS] = [6, 30];

describe('under fire of more than a hundred abusive requests', () => {
  it('the server answers every honest request, and lives', { timeout: 300_000 }, async () => {
    const program = await aProgram('serve');
    await register(program, ['honest', 'abuser']);
    const slow = Array.from({ length: 100 }, () => aSocket(program.url));
    for (const { send } of slow)
      send(`POST ${UPLOAD_PATH}abuser HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\nx`);

    const { calm, underFire, statuses } = await duel(program, [...ABUSES.keys()]);
    for (const { socket } of slow) socket.destroy();

    const abused = Object.values(statuses).flat();
    expect(Object.keys(statuses).sort()).toEqual([...ABUSES.keys()].sort());
    expect(abused.length + slow.length).toBeGreaterThan(100);
    expect(abused.filter((status) => status >= 500 && status !== 503)).toEqual([]);
    expect([...calm.statuses, ...underFire.statuses].filter((status) => status >= 300)).toEqual([]);
    expect(program.process.exitCode).toBeNull();
    process.stdout.write(
      `abuse: ${abused.length} requests and ${slow.length} slow senders; ${figures({ calm, underFire })}\n`,
    );
  });

  it.runIf(process.env.ABUSE_EACH !== undefined)(
    'each kind alone is measured (ABUSE_EACH=. or what their names match)',
    { timeout: 1_200_000 },
    async () => {
      const program = await aProgram('serve');
      await register(program, ['honest', 'abuser']);
      const pattern = new RegExp(process.env.ABUSE_EACH ?? '');
      for (const kind of [...ABUSES.keys()].filter((name) => pattern.test(name))) {
        const measured = await duel(program, [kind]);
        const count = measured.statuses[kind]?.length;
        process.stdout.write(`${figures(measured)}; ${count} of: ${kind}\n`);
      }
    },
  );
});

/** 200 devices × 20 dumps of 16 KiB are 64 MB; ten answers of them were some gigabytes. */
const FLEET = { devices: 200, dumpsEach: 20, textBytes: 16 * 1024 };
const MAX_MB = 700;
/**
 * Of it the young generation of the main thread's heap. V8 lets it grow to 32 MB in Node 20 and to 128 MB in Node 24,
 * whatever is asked; what is more than this is not counted.
 */
const YOUNG_MB = 32;

describe('under the costliest queries that are allowed', () => {
  it('the server answers every honest request, in bounded memory', { timeout: 600_000 }, async () => {
    const program = await aFilledProgram();
    await register(program, ['honest']);
    const slow = Array.from({ length: 20 }, () => askSlowly(program.url, LONGEST_ANSWER));

    const { calm, underFire, statuses } = await duel(program, [...COSTLY.keys()], { turns: 3, rounds: 8 });
    const peakMb = (await peakMbOf(program)) - Math.max(0, (await youngMbOf(program)) - YOUNG_MB);
    for (const { socket } of slow) socket.destroy();

    expect(Object.keys(statuses).sort()).toEqual([...COSTLY.keys()].sort());
    expect(
      Object.values(statuses)
        .flat()
        .filter((status) => status >= 500 && status !== 503),
    ).toEqual([]);
    expect([...calm.statuses, ...underFire.statuses].filter((status) => status >= 300)).toEqual([]);
    expect(program.log()).not.toContain('broke');
    expect(peakMb).toBeLessThan(MAX_MB);
    process.stdout.write(`costly: peak ${peakMb.toFixed(0)} MB; ${figures({ calm, underFire })}\n`);
  });

  it.runIf(process.env.ABUSE_EACH !== undefined)(
    'each kind alone is measured (ABUSE_EACH=. or what their names match)',
    { timeout: 1_200_000 },
    async () => {
      const program = await aFilledProgram();
      await register(program, ['honest']);
      const pattern = new RegExp(process.env.ABUSE_EACH ?? '');
      for (const kind of [...COSTLY.keys()].filter((name) => pattern.test(name))) {
        const measured = await duel(program, [kind], { turns: 2, rounds: 30 });
        process.stdout.write(`${figures(measured)}; ${measured.statuses[kind]?.length} crowds of: ${kind}\n`);
      }
    },
  );
});

async function aFilledProgram(): Promise<Program> {
  const { dir, stop } = await aProgram('serve');
  await stop('SIGTERM');
  fillWithTexts(join(dir, 'data', 'coredock.db'), FLEET);
  return aProgram('serve', { dir });
}

/** Takes a little of the answer every now and then, which is not so little that it would be cut. */
function askSlowly(url: string, query: string) {
  const slow = aSocket(url);
  const body = JSON.stringify({ query });
  slow.send(
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  slow.socket.on('data', () => {
    slow.socket.pause();
    setTimeout(() => slow.socket.resume(), 500).unref();
  });
  return slow;
}

/** As Linux counts it: the most resident memory that the process ever had. */
async function peakMbOf({ process: { pid } }: Program): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function youngMbOf({ url }: Program): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [, bytes] = /^nodejs_heap_space_size_total_bytes\{space="new"\} (\d+)/m.exec(metrics) ?? [];
  if (bytes === undefined) throw new Error('the metrics have no size of the young generation');
  return Number(bytes) / 1024 / 1024;
}

interface Measured {
  statuses: number[];
  /** In ms, of all requests and of the uploads among them. */
  latencies: number[];
  uploads: number[];
}

const nothing = (): Measured => ({ statuses: [], latencies: [], uploads: [] });

/** Calm and fire take turns, so that whatever else the machine does happens to both. */
async function duel(program: Program, kinds: readonly string[], { turns = TURNS, rounds = ROUNDS } = {}) {
  const abuser = await anAbuser({ url: program.url, kinds });
  const [calm, underFire] = [nothing(), nothing()];
  await honestRounds(program, rounds, nothing());
  for (let turn = 0; turn < turns; turn++) {
    await honestRounds(program, rounds, calm);
    await abuser.tell('begin');
    await honestRounds(program, rounds, underFire);
    await abuser.tell('pause');
  }
  return { calm, underFire, statuses: await abuser.finish() };
}

async function anAbuser(order: Order) {
  const child = fork(ABUSER, { execArgv: ['--import', 'tsx'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const tell = async (what: Order): Promise<Report> => {
    const answer = once(child, 'message');
    child.send(what);
    return (await answer)[0] as Report;
  };
  await tell(order);
  return {
    tell,
    async finish() {
      const report = await tell('finish');
      child.kill('SIGKILL');
      return typeof report === 'object' ? report.statuses : {};
    },
  };
}

/** What a device and a dashboard do: a dump, the list of dumps, and whether the server is well. */
async function honestRounds(
  program: Program,
  rounds: number,
  { statuses, latencies, uploads }: Measured,
): Promise<void> {
  const timed = async (method: string, path: string, body = '', headers: Record<string, string> = {}) => {
    const begun = performance.now();
    statuses.push(await ask(`${program.url}${path}`, { method, headers, body }));
    const took = performance.now() - begun;
    latencies.push(took);
    if (path.startsWith(UPLOAD_PATH)) uploads.push(took);
  };
  const query = '{ coredumps(first: 20) { nodes { id filename parseStatus device { key } } } }';
  for (let round = 0; round < rounds; round++) {
    await timed('POST', `${UPLOAD_PATH}honest`, `dump ${round} ${Math.random()}`);
    await timed('POST', '/graphql', JSON.stringify({ query }), { 'Content-Type': 'application/json' });
    await timed('GET', '/healthz');
  }
}

function ask(url: string, { method, headers, body }: { method: string; headers: object; body: string }) {
  return new Promise<number>((resolve, reject) => {
    const outgoing = request(url, { method, headers: { ...headers }, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.once('error', reject).end(body);
  });
}

/** Printed, not judged: on a busy machine they say little. */
function figures({ calm, underFire }: { calm: Measured; underFire: Measured }): string {
  const compared = (what: 'latencies' | 'uploads', q: number) => {
    const [before, after] = [quantile(calm[what], q), quantile(underFire[what], q)];
    return `${before.toFixed(1)} to ${after.toFixed(1)} ms (${(after / before).toFixed(2)} x)`;
  };
  return (
    `uploads p50 ${compared('uploads', 0.5)}, p99 ${compared('uploads', 0.99)}; ` +
    `all honest requests p99 ${compared('latencies', 0.99)}`
  );
}

async function register(program: Program, keys: readonly string[]): Promise<void> {
  await program.graphql(
    'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { id } } }',
  );
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
