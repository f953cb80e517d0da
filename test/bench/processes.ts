import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { foundIn } from '../support/output.js';

export interface Peer {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Processor time that it has used so far, as Linux counts it: in steps of 10 ms. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

const CLI = fileURLToPath(new URL('../../dist/coredock.cjs', import.meta.url));
const BARE = fileURLToPath(new URL('./bare-server.ts', import.meta.url));

/**
 * Lets a seeded database, whose dumps have no files, belong to the storage of a folder; without that no server starts on
 * rows that have lost theirs.
 */
export async function adoptSeeded(dir: string, environment: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, [CLI, 'adopt'], {
    cwd: dir,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`coredock adopt ended with ${code}`);
}

/** The built server alone, on a folder of its own. @param program another build of it */
export function coredockServer(
  dir: string,
  environment: Record<string, string> = {},
  node = process.execPath,
  program = CLI,
): Promise<Peer> {
  return coredock('serve', dir, environment, { node, program });
}

/** The built server with its sidecar. @param program another build of it */
export function coredockStack(
  dir: string,
  environment: Record<string, string>,
  program = CLI,
): Promise<Peer> {
  return coredock('start', dir, environment, { node: process.execPath, program });
}

function coredock(
  command: 'serve' | 'start',
  dir: string,
  environment: Record<string, string>,
  { node, program }: { node: string; program: string },
): Promise<Peer> {
  return start({
    name: `coredock ${command}`,
    node,
    args: [program, command],
    cwd: dir,
    // Few devices send many dumps here.
    environment: { PORT: '0', LOG_LEVEL: 'info', DEVICE_UPLOADS_PER_MINUTE: '1000000', ...environment },
    up: /"url":"(http:[^"]+)","msg":"Coredock is up"/,
  });
}

/** The baseline: node:http that writes each body to a file and syncs it, nothing more. */
export function bareServer(dir: string, node = process.execPath): Promise<Peer> {
  return start({
    name: 'bare write + fsync',
    node,
    args: ['--import', 'tsx', BARE, dir],
    cwd: process.cwd(),
    up: /listening (http:\S+)/,
  });
}

/** @param up what it writes on standard error once it listens, with its URL in a group */
export async function start({
  name,
  node = process.execPath,
  args,
  cwd,
  environment = {},
  up,
}: {
  name: string;
  node?: string;
  args: string[];
  cwd: string;
  environment?: Record<string, string>;
  up: RegExp;
}): Promise<Peer> {
  const child: ChildProcess = spawn(node, args, {
    cwd,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { stderr } = child;
  if (stderr === null) throw new Error(`${name} has no output`);
  let log = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    if (log.length < 100_000) log += text;
  });
  const url = await Promise.race([
    foundIn(stderr, up),
    ended.then(() => Promise.reject(new Error(`${name} did not start:\n${log}`))),
  ]);
  return {
    name,
    url,
    pid: child.pid ?? 0,
    cpuMs: () => cpuMs(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** proc(5): the 14th and 15th field of `stat` in clock ticks, a hundred a second on every Linux that Node runs on. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory of a process in MB, as Linux counts it. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
