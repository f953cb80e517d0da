import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { register } from './fleet.js';
import { withFolder } from './folder.js';
import { quantile, upload } from './load.js';
import { coredockServer, type Peer } from './processes.js';
import type { Result } from './result.js';

/** A device may report 30 boots a minute, so 10,000 a minute need more than 333. */
const DEVICES = 1_000;
const ROUNDS = 5;
const IN_EACH = 2_000;
/** A fleet reports at once, when power or a network comes back; uploads are measured as in `uploads.ts`. */
const BOOTS_IN_FLIGHT = 200;
const UPLOADS_IN_FLIGHT = 32;

interface Cost {
  /** Processor time of one. */
  cpuMs: number;
  /** What one wrote to the disk. */
  kilobytes: number;
  perMinute: number;
}

/** Boot reports beside uploads of 64 KiB to the same server, in turns, SQLite. */
export async function boots(): Promise<Result[]> {
  return withFolder(async (dir) => {
    const server = await coredockServer(dir);
    try {
      await register(server, DEVICES);
      const costs: Array<{ boot: Cost; upload: Cost }> = [];
      for (let round = 0; round <= ROUNDS; round += 1) {
        const cost = {
          upload: await costOf(server, () => uploads(server)),
          boot: await costOf(server, () => bootReports(server, round)),
        };
        // The first one is a warm-up.
        if (round > 0) costs.push(cost);
      }
      const median = (of: (cost: (typeof costs)[number]) => number) => quantile(costs.map(of), 0.5);
      return [
        {
          what: 'processor time of a boot report / of an upload of 64 KiB, SQLite',
          value: median(({ boot, upload }) => boot.cpuMs / upload.cpuMs),
          hold: '≤ 0.1',
          holds: (ratio) => ratio <= 0.1,
          detail:
            `${median(({ boot }) => boot.cpuMs).toFixed(3)} against ${median((c) => c.upload.cpuMs).toFixed(3)} ms; ` +
            `written ${median(({ boot }) => boot.kilobytes).toFixed(2)} against ${median((c) => c.upload.kilobytes).toFixed(0)} kB`,
        },
        {
          what: `boot reports a minute, ${BOOTS_IN_FLIGHT} in flight, SQLite`,
          value: median(({ boot }) => boot.perMinute),
          hold: '≥ 10000',
          holds: (count) => count >= 10_000,
          detail: `${median((c) => c.upload.perMinute).toFixed(0)} uploads a minute, ${UPLOADS_IN_FLIGHT} in flight`,
        },
      ];
    } finally {
      await server.stop();
    }
  });
}

async function costOf(server: Peer, work: () => Promise<number>): Promise<Cost> {
  const [cpu, bytes] = [await server.cpuMs(), await writtenBytes(server)];
  const seconds = await work();
  return {
    cpuMs: ((await server.cpuMs()) - cpu) / IN_EACH,
    kilobytes: ((await writtenBytes(server)) - bytes) / IN_EACH / 1_000,
    perMinute: (IN_EACH / seconds) * 60,
  };
}

async function uploads({ url }: Peer): Promise<number> {
  const path = (index: number) =>
    `/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=bench${index % DEVICES}`;
  const { seconds } = await upload(url, { count: IN_EACH, bytes: 65_536, inFlight: UPLOADS_IN_FLIGHT, path });
  return seconds;
}

async function bootReports({ url }: Peer, round: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: BOOTS_IN_FLIGHT });
  let next = 0;
  const begun = performance.now();
  const device = async () => {
    for (let at = next++; at < IN_EACH; at = next++) {
      // Each run has another length, so that no report is taken for a repeated one.
      const search = `device_key=bench${at % DEVICES}&firmware_version=1.0.0&chip=esp32c3&reset_reason=panic&uptime_s=${round * IN_EACH + at}&crash_pending=true`;
      await post(agent, `${url}/api/iot/boot?${search}`);
    }
  };
  await Promise.all(Array.from({ length: BOOTS_IN_FLIGHT }, device));
  agent.destroy();
  return (performance.now() - begun) / 1_000;
}

function post(agent: Agent, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 204) resolve();
        else reject(new Error(`answered ${response.statusCode}`));
      });
    });
    outgoing.once('error', reject).end();
  });
}

/** proc(5): what the process caused to be written to disks. */
async function writtenBytes({ pid }: Peer): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, 'utf8');
  return Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? Number.NaN);
}
