import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { register } from './fleet.js';
import { withFolder } from './folder.js';
import { quantile, upload } from './load.js';
import { nodePackage, npmFolder } from './npm-folder.js';
import { bareServer, coredockServer, type Peer, residentMb } from './processes.js';
import { type Result, skipped } from './result.js';

/** Registered with `register` before uploads are measured. */
export const DEVICES = 500;
const ROUNDS = 5;
/** The default of MAX_UPLOADS_IN_FLIGHT. */
const MAX_IN_FLIGHT = 1_000;

/**
 * Sustained uploads, 64 KiB, 32 in flight, in turns with the bare server on the same disk; on this Node, and on Node 24
 * as well, where a request's context costs nothing (see README.md).
 */
export async function uploadThroughput(): Promise<Result[]> {
  const here = await throughput(`Node ${process.versions.node}`, process.execPath);
  if (process.versions.node.startsWith('24.')) return [here];
  const tools = npmFolder([`${nodePackage()}@24`]);
  if (tools === null)
    return [here, skipped('the same on Node 24', 'it could not be had from the npm registry')];
  return [here, await throughput('Node 24', join(tools, 'node_modules', nodePackage(), 'bin/node'))];
}

async function throughput(version: string, node: string): Promise<Result> {
  return withFolder(async (dir) => {
    await Promise.all(['ours', 'bare'].map((name) => mkdir(join(dir, name))));
    const ours = await coredockServer(join(dir, 'ours'), {}, node);
    const bare = await bareServer(join(dir, 'bare'), node);
    try {
      await register(ours, DEVICES);
      const rounds = await uploadsInTurns({ bare, ours });
      const median = (of: (round: (typeof rounds)[number]) => number) => quantile(rounds.map(of), 0.5);
      return {
        what: `sustained uploads, 64 KiB, 32 in flight, ${version}: ours / bare write + fsync`,
        value: median(({ ours, bare }) => ours.perSecond / bare.perSecond),
        hold: '≥ 0.8',
        holds: (ratio) => ratio >= 0.8,
        detail:
          `${median((r) => r.ours.perSecond).toFixed(0)} against ${median((r) => r.bare.perSecond).toFixed(0)} uploads/s; ` +
          `p99 ${median((r) => r.ours.p99).toFixed(0)} against ${median((r) => r.bare.p99).toFixed(0)} ms; ` +
          `CPU of an upload ${median((r) => r.ours.cpuMs).toFixed(2)} against ${median((r) => r.bare.cpuMs).toFixed(2)} ms`,
      };
    } finally {
      await Promise.all([ours.stop(), bare.stop()]);
    }
  });
}

/** What uploads of 64 KiB cost, 32 in flight. */
interface UploadCost {
  perSecond: number;
  p99: number;
  cpuMs: number;
}

/** Five rounds of 1,500 uploads to each server, one server after the other, behind a warm-up. */
export async function uploadsInTurns<Name extends string>(
  peers: Readonly<Record<Name, Peer>>,
): Promise<Array<Record<Name, UploadCost>>> {
  const costOf = async (peer: Peer, count: number): Promise<UploadCost> => {
    const cpu = await peer.cpuMs();
    const { seconds, latencies } = await upload(peer.url, { count, bytes: 65_536, inFlight: 32, path });
    const cpuMs = ((await peer.cpuMs()) - cpu) / count;
    return { perSecond: count / seconds, p99: quantile(latencies, 0.99), cpuMs };
  };
  const all = Object.entries(peers) as Array<[Name, Peer]>;
  for (const [, peer] of all) await costOf(peer, 500);
  const rounds: Array<Record<Name, UploadCost>> = [];
  for (let round = 0; round < ROUNDS; round++) {
    const costs: Array<[Name, UploadCost]> = [];
    for (const [name, peer] of all) costs.push([name, await costOf(peer, 1_500)]);
    rounds.push(Object.fromEntries(costs) as Record<Name, UploadCost>);
  }
  return rounds;
}

/** Memory of the server while 1,000 uploads of 1 MiB come in, 32 at a time. */
export async function uploadMemory(): Promise<Result[]> {
  const { idle, peak } = await memoryDuring({ count: 1_000, inFlight: 32 });
  return [
    {
      what: 'memory during 1,000 uploads of 1 MiB, 32 in flight, above idle',
      value: peak - idle,
      unit: 'MB',
      hold: '< 150 MB',
      holds: (mb) => mb < 150,
      detail: `idle ${idle.toFixed(0)} MB, peak ${peak.toFixed(0)} MB`,
    },
  ];
}

/** The same with as many at once as are taken in by default: what an operator must have room for. */
export async function uploadMemoryAtLimit(): Promise<Result[]> {
  const { idle, peak } = await memoryDuring({ count: 2_000, inFlight: MAX_IN_FLIGHT });
  return [
    {
      what: `memory during uploads of 1 MiB, ${MAX_IN_FLIGHT} in flight (the default limit), above idle`,
      value: peak - idle,
      unit: 'MB',
      hold: '< 750 MB',
      holds: (mb) => mb < 750,
      detail: `idle ${idle.toFixed(0)} MB, peak ${peak.toFixed(0)} MB`,
    },
  ];
}

async function memoryDuring({
  count,
  inFlight,
}: {
  count: number;
  inFlight: number;
}): Promise<{ idle: number; peak: number }> {
  return withFolder(async (dir) => {
    const ours = await coredockServer(dir);
    try {
      await register(ours, DEVICES);
      await upload(ours.url, { count: 50, bytes: 1024, inFlight: 32, path });
      const idle = await residentMb(ours.pid);
      let peak = idle;
      const timer = setInterval(() => {
        void residentMb(ours.pid).then((mb) => {
          peak = Math.max(peak, mb);
        });
      }, 20);
      await upload(ours.url, { count, bytes: 1_048_576, inFlight, path });
      clearInterval(timer);
      return { idle, peak };
    } finally {
      await ours.stop();
    }
  });
}

function path(index: number): string {
  return `/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=bench${index % DEVICES}`;
}
