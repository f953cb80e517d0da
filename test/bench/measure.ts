import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export interface Run {
  ms: number;
  peakMb: number;
}

const LOOK_EVERY_MS = 5;

/**
 * Wall time of a command, and the most resident memory that it and the programs that it started had together, as Linux
 * counted it at any one moment.
 */
export async function measure([command = '', ...args]: readonly string[]): Promise<Run> {
  const startedAt = performance.now();
  const child = spawn(command, args, { stdio: 'ignore' });
  let peakMb = 0;
  let hasEnded = false;
  const watch = async () => {
    while (!hasEnded) {
      peakMb = Math.max(peakMb, await residentMb(child.pid ?? 0));
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  const watching = watch();
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  const ms = performance.now() - startedAt;
  hasEnded = true;
  await watching;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}`);
  return { ms, peakMb };
}

/** Of a process and those below it. */
async function residentMb(pid: number, parentCommand = ''): Promise<number> {
  try {
    const [command, status, children] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
      readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'),
    ]);
    // Between fork and exec a process shares its parent's memory and must not count it twice.
    const own = command === parentCommand ? 0 : Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    const below = children.split(' ').filter((child) => child !== '');
    const others = await Promise.all(below.map((child) => residentMb(Number(child), command)));
    return own + others.reduce((sum, mb) => sum + mb, 0);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
