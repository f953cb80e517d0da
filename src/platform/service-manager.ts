import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from './logger.js';

/** systemd, when it started this program as a service of `Type=notify`. */
export interface ServiceManager {
  /**
   * Sends variables of sd_notify(3), such as `READY=1` or `STATUS=…`, in the order of the calls. It never fails: the
   * server works without systemd, and the log has the first error.
   */
  notify(...variables: readonly string[]): Promise<void>;
  /** systemd ends a service that sends no `WATCHDOG=1` within this time (`WatchdogSec=`); null: no watchdog. */
  readonly watchdogMs: number | null;
}

/** systemd-notify waits until systemd has read the message, which takes long only when systemd is stuck. */
const TIMEOUT_MS = 10_000;

/**
 * The socket of systemd is a datagram socket of the file system, which Node cannot open, and the packages that can are
 * native code. So systemd's own command sends the messages; the unit has to allow that by `NotifyAccess=all`.
 *
 * @param environment the variables of systemd are removed from it, so that child processes do not get them
 * @returns null when systemd does not wait for notifications
 */
export function findServiceManager(
  environment: Record<string, string | undefined>,
  log: Pick<Logger, 'warn'>,
): ServiceManager | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog, WATCHDOG_PID: watchedPid, PATH } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (socket === undefined || socket === '') return null;

  const run = promisify(execFile);
  const isWatched = watchedPid === undefined || watchedPid === String(process.pid);
  let hasFailed = false;
  let last = Promise.resolve();
  return {
    notify(...variables) {
      last = last.then(() => send(variables));
      return last;
    },
    watchdogMs: isWatched && Number(watchdog) > 0 ? Number(watchdog) / 1000 : null,
  };

  async function send(variables: readonly string[]): Promise<void> {
    try {
      await run('systemd-notify', [...variables], {
        env: { NOTIFY_SOCKET: socket, PATH },
        timeout: TIMEOUT_MS,
      });
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) log.warn({ err: error }, reasonOf(error));
      hasFailed = true;
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
    ? 'NOTIFY_SOCKET is set, but there is no command systemd-notify; use Type=exec, or in a container --sdnotify=conmon'
    : 'systemd could not be notified; does the unit have NotifyAccess=all?';
}
