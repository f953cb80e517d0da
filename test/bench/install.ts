import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { coredockIn, install as installTarball, pack, sizeOf } from '../support/installed-package.js';
import { foundIn } from '../support/output.js';
import { earlierBuild } from './earlier-build.js';
import { withFolder } from './folder.js';
import { quantile } from './load.js';
import { cpuMs, residentMb } from './processes.js';
import { type Result, skipped } from './result.js';

const MB = 1024 * 1024;
const ROUNDS = 5;

interface Start {
  readyMs: number;
  /** Of server and sidecar together, until the server is ready. */
  cpuMs: number;
  residentMb: number;
}

/**
 * The npm package as a user gets it: its size, and a first start with an empty folder (migrations included), beside an
 * earlier build (BASELINE), in turns.
 */
export async function install(): Promise<Result[]> {
  return withFolder(async (dir) => {
    const { tarball } = await pack(dir);
    const folder = await installTarball(tarball, join(dir, 'installed'));
    const size = (await sizeOf(join(folder, 'node_modules'))) / MB;
    const packed = (await readFile(tarball)).byteLength / MB;
    const earlier = earlierBuild();
    const sizes: Result = {
      what: 'installed size',
      value: size,
      unit: 'MB',
      hold: '≤ 45',
      holds: (seen) => seen <= 45,
      detail: `tarball ${packed.toFixed(1)} MB`,
    };
    if ('missing' in earlier) return [sizes, skipped('first start, ours / before', earlier.missing)];
    const before = (await productionSize(dirname(earlier.dist))) / MB;
    const starts: Record<'ours' | 'before', Start[]> = { ours: [], before: [] };
    for (let round = 0; round < ROUNDS; round++) {
      starts.before.push(await aStart(earlier.program, join(dir, `before-${round}`)));
      starts.ours.push(await aStart(coredockIn(folder), join(dir, `ours-${round}`)));
    }
    return [
      { ...sizes, detail: `${sizes.detail}; before ${before.toFixed(0)} MB` },
      compared('start until ready', 'ms', starts, ({ readyMs }) => readyMs),
      compared('processor time of that start', 'ms', starts, (start) => start.cpuMs),
      compared('resident memory then', 'MB', starts, (start) => start.residentMb),
    ];
  });
}

async function aStart(program: string, dir: string): Promise<Start> {
  await mkdir(dir);
  const begun = performance.now();
  const child = spawn(process.execPath, [program, 'start'], {
    cwd: dir,
    env: { PATH: process.env.PATH, PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await foundIn(child.stderr, /"url":"(http:[^"]+)","msg":"Coredock is up"/);
  const readyMs = performance.now() - begun;
  const pids = [child.pid ?? 0, ...(await childrenOf(child.pid ?? 0))];
  const sum = async (of: (pid: number) => Promise<number>) =>
    (await Promise.all(pids.map(of))).reduce((total, value) => total + value, 0);
  const start = { readyMs, cpuMs: await sum(cpuMs), residentMb: await sum(residentMb) };
  child.kill('SIGTERM');
  await ended;
  return start;
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** What `npm ci --omit=dev` would install there, and the built program. */
async function productionSize(folder: string): Promise<number> {
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  let bytes = await sizeOf(join(folder, 'dist'));
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    // Packages of other systems are in the lock, and not in the folder.
    if (path === '' || dev === true || !existsSync(join(folder, path))) continue;
    bytes += await sizeOf(join(folder, path), (entry) => entry !== 'node_modules');
  }
  return bytes;
}

function compared(
  what: string,
  unit: string,
  starts: Record<'ours' | 'before', readonly Start[]>,
  of: (start: Start) => number,
): Result {
  const median = (name: 'ours' | 'before') => quantile(starts[name].map(of), 0.5);
  return {
    what: `${what}: ours / before`,
    value: median('ours') / median('before'),
    hold: '≤ 0.6',
    holds: (seen) => seen <= 0.6,
    detail: `${median('ours').toFixed(0)} against ${median('before').toFixed(0)} ${unit}`,
  };
}
