import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fillWithTexts } from '../support/fleet-of-texts.js';
import { earlierBuild } from './earlier-build.js';
import { withFolder } from './folder.js';
import { coredockServer, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';
import type { Viewed, Viewing } from './viewers.js';

const VIEWERS = fileURLToPath(new URL('./viewers.ts', import.meta.url));
const FLEET = { devices: 200, dumpsEach: 20, textBytes: 16 * 1024 };
const ASK_EVERY_MS = 20;
/** How long slow readers are looked at; no viewer is waited for longer than the second. */
const [SLOW_FOR_MS, AT_MOST_MS] = [40_000, 120_000];

const texts = (devices: number, dumps: number) =>
  `{ devices(first: ${devices}) { nodes { coredumps(first: ${dumps}) { nodes { parsedOutput } } } } }`;

const CASES: ReadonlyArray<{ what: string; viewing: Omit<Viewing, 'url'> }> = [
  {
    what: 'ten viewers ask for 200 × 200 texts',
    viewing: { query: texts(200, 200), viewers: 10, reads: 'fast' },
  },
  {
    what: 'ten viewers ask for as many as one answer may have',
    viewing: { query: texts(50, 20), viewers: 10, reads: 'fast' },
  },
  {
    what: '20 slow readers of 200 × 200 texts',
    viewing: { query: texts(200, 200), viewers: 20, reads: 'slowly' },
  },
  {
    what: '20 slow readers of as many as one answer may have',
    viewing: { query: texts(50, 20), viewers: 20, reads: 'slowly' },
  },
];

/**
 * What long answers do to everybody else: the longest that `/healthz` took meanwhile, and the most memory. Beside an
 * earlier build, in turns in the same run: BASELINE names a folder with its `dist`, where `npm run build` has run.
 */
export async function answers(): Promise<Result[]> {
  const baseline = earlierBuild();
  if ('missing' in baseline) return [skipped('long answers: ours beside an earlier build', baseline.missing)];
  const { program } = baseline;
  const results: Result[] = [];
  for (const { what, viewing } of CASES) {
    const before = await measured(viewing, program);
    const ours = await measured(viewing);
    results.push({
      what: `${what}: the longest /healthz`,
      value: ours.longestMs,
      unit: 'ms',
      hold: '< 250 ms',
      holds: (ms) => ms < 250,
      detail: `ours ${shown(ours)}; BASELINE ${shown(before)}`,
    });
  }
  return results;
}

interface Measured {
  longestMs: number;
  calmMb: number;
  peakMb: number;
  viewed: Viewed | null;
}

function shown({ longestMs, calmMb, peakMb, viewed }: Measured): string {
  const answers =
    viewed === null
      ? ''
      : `, ${viewed.statuses.length} answers of ${(viewed.bytes / 2 ** 20).toFixed(0)} MB in all`;
  return `${longestMs.toFixed(0)} ms, ${calmMb.toFixed(0)} → ${peakMb.toFixed(0)} MB${answers}`;
}

/** A fresh server each time: memory that was once taken is not given back. */
async function measured(viewing: Omit<Viewing, 'url'>, program?: string): Promise<Measured> {
  return withFolder(async (dir) => {
    await mkdir(join(dir, 'data'));
    // Its own start makes its tables, whatever its version.
    await (await coredockServer(dir, {}, process.execPath, program)).stop();
    fillWithTexts(join(dir, 'data', 'coredock.db'), FLEET);
    const server = await coredockServer(dir, {}, process.execPath, program);
    const child = fork(VIEWERS, { execArgv: ['--import', 'tsx'] });
    try {
      const calmMb = await peakMb(server);
      const viewed = view(child, { ...viewing, url: server.url });
      const limit = viewing.reads === 'fast' ? AT_MOST_MS : SLOW_FOR_MS;
      const longestMs = await longestAnswer(server, Promise.race([viewed, sleep(limit)]));
      const seen = await Promise.race([viewed, sleep(0, null)]);
      return { longestMs, calmMb, peakMb: await peakMb(server), viewed: seen };
    } finally {
      child.kill('SIGKILL');
      await server.stop();
    }
  });
}

function view(child: ChildProcess, viewing: Viewing): Promise<Viewed> {
  const viewed = new Promise<Viewed>((resolve) =>
    child.once('message', (message) => resolve(message as Viewed)),
  );
  child.send(viewing);
  return viewed;
}

async function longestAnswer({ url }: Peer, until: Promise<unknown>): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  let isOver = false;
  void until.then(() => {
    isOver = true;
  });
  let longestMs = 0;
  while (!isOver) {
    const begun = performance.now();
    await new Promise((resolve) =>
      get(`${url}/healthz`, { agent }, (response) => response.resume().once('end', resolve)).once(
        'error',
        resolve,
      ),
    );
    longestMs = Math.max(longestMs, performance.now() - begun);
    await sleep(ASK_EVERY_MS);
  }
  agent.destroy();
  return longestMs;
}

async function peakMb({ pid }: Peer): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
