import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { parseJson } from '../platform/json.js';
import type { Logger } from '../platform/logger.js';
import { readAnnouncement } from './announcement.js';

/** One run of `coredock sidecar`, from its announcement to its end. */
export interface SidecarProcess {
  readonly url: string;
  readonly pid: number | undefined;
  /** Resolves when the process has ended and its last log line was passed on; says how it ended. */
  readonly ended: Promise<string>;
}

/** Ten times the time of a start on a slow machine. */
const START_DEADLINE_MS = 30_000;
/** Longer than the sidecar's own grace for requests in flight. */
const STOP_GRACE_MS = 5_000;

/**
 * Starts `coredock sidecar` as a child with an IPC channel: the child announces its URL over it, and detects the end of
 * this process by it.
 * @param stop ends the child, whether it listens yet or not: SIGTERM, and SIGKILL after a grace period
 * @throws Error with one clear sentence when the child ends before it listens
 */
export async function startSidecarProcess({
  cliPath,
  xferDir,
  port,
  log,
  stop,
}: {
  cliPath: string;
  xferDir: string;
  port: number;
  log: Logger;
  stop: AbortSignal;
}): Promise<SidecarProcess> {
  const child = spawn(process.execPath, [cliPath, 'sidecar', '--port', String(port), '--xfer-dir', xferDir], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let hasStarted = false;
  const lastLine = passOnLog(child, log.child({ part: 'sidecar' }), () => hasStarted);
  const ended = endOf(child);
  endAtStop(child, ended, stop);

  const url = await Promise.race([announcementOf(child), ended.then(() => null)]);
  if (url === null) {
    throw new Error(`the parse sidecar did not start: ${lastLine() ?? (await ended)}`);
  }
  hasStarted = true;
  return { url, pid: child.pid, ended };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
}

function endAtStop(child: ChildProcess, ended: Promise<string>, stop: AbortSignal): void {
  let killTimer: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill('SIGTERM');
    killTimer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  };
  if (stop.aborted) end();
  else stop.addEventListener('abort', end, { once: true });
  void ended.then(() => {
    stop.removeEventListener('abort', end);
    clearTimeout(killTimer);
  });
}

/** @returns null, after killing the child, when it does not announce its URL in time */
function announcementOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      resolve(null);
    }, START_DEADLINE_MS);
    child.once('close', () => clearTimeout(deadline));
    child.on('message', (message) => {
      const url = readAnnouncement(message);
      if (url === null) return;
      clearTimeout(deadline);
      resolve(url);
    });
  });
}

const LEVELS = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' } as const;

/** A log line of pino. */
const logEntry = z.looseObject({
  level: z.literal([10, 20, 30, 40, 50, 60]),
  time: z.unknown(),
  msg: z.string().default(''),
});

/**
 * Writes the child's log lines to this log, each at its own level. Any other line (the reason of a failed start, a
 * fatal error of the runtime) is logged as a warning.
 * @returns the last line of that kind
 */
function passOnLog(child: ChildProcess, log: Logger, hasStarted: () => boolean): () => string | null {
  let lastLine: string | null = null;
  if (child.stderr === null) return () => lastLine;
  createInterface({ input: child.stderr }).on('line', (line) => {
    const entry = logEntry.safeParse(parseJson(line));
    if (entry.success) {
      const { level, time: _ours, msg, ...fields } = entry.data;
      log[LEVELS[level]](fields, msg);
    } else if (line.trim() !== '') {
      lastLine = line.replace(/^coredock: /, '');
      // The error of a failed start contains this line already.
      if (hasStarted()) log.warn(lastLine);
    }
  });
  return () => lastLine;
}
