import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/settings.js';
import { assertListenable } from '../http/listen-address.js';
import { openDatabase } from '../platform/database/open-database.js';
import { prepareTransferFolder } from '../platform/files/transfer-folder.js';
import { type Logger, openLog } from '../platform/logger.js';
import { CLI_FILE } from '../platform/program-files.js';
import { findServiceManager } from '../platform/service-manager.js';
import { superviseSidecar } from '../sidecar/supervisor.js';
import { reportState } from './report-state.js';
import { type App, startApp } from './start-app.js';

export interface ServeOptions {
  /** Run the bundled sidecar as a child process, unless the settings name another one. */
  withSidecar: boolean;
}

/** Time limit for closing, in addition to SHUTDOWN_GRACE_MS for requests in flight: a database may not answer. */
const CLOSE_MS = 10_000;

/**
 * Runs until `stop` is aborted, then ends the process: gracefully if the server is up. A start in progress is
 * abandoned; the next start continues it, as after a killed server.
 *
 * @throws Error or ConfigError with one clear line per problem
 */
export async function runServer(config: Config, options: ServeOptions, stop: AbortSignal): Promise<void> {
  const log = await openLog(config);
  if (stop.aborted) return;
  const manager = findServiceManager(process.env, log);
  void manager?.notify('STATUS=starting');
  const starting = start(config, options, { log, stop });
  stop.addEventListener('abort', () => void end(), { once: true });
  try {
    const { url } = await starting;
    if (manager !== null) reportState(manager, { ...config, port: Number(new URL(url).port) }, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  }

  async function end(): Promise<void> {
    void manager?.notify('STOPPING=1', 'STATUS=stopping: requests in flight finish');
    const running = await within(
      config.shutdownGraceMs,
      starting.catch(() => null),
    );
    if (running === 'late' || running === null) log.info('stopped before it was up');
    else if ((await within(config.shutdownGraceMs + CLOSE_MS, running.close())) === 'late') {
      log.warn('a component did not close in time; the process is ended');
    }
    process.exit(0);
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | 'late'> {
  const rest = new AbortController();
  const late = pause(ms, 'late' as const, { signal: rest.signal });
  return Promise.race([work, late]).finally(() => rest.abort());
}

async function start(
  config: Config,
  { withSidecar }: ServeOptions,
  { log, stop }: { log: Logger; stop: AbortSignal },
): Promise<App> {
  // First, because the next steps migrate the database and start a child process.
  await assertListenable(config);
  // A configured sidecar wins over the bundled one.
  if (!withSidecar || config.parser !== null) return startApp(config, { log, stopping: stop });

  const xferDir = join(config.coredumpsDir, '..', 'xfer');
  await prepareTransferFolder(xferDir, `COREDUMPS_DIR=${config.coredumpsDir}`);
  const sidecar = await superviseSidecar({ cliPath: CLI_FILE, xferDir, log, stop });
  try {
    const parser = { url: sidecar.url(), xferDir };
    const app = await startApp(
      { ...config, parser },
      { log, stopping: stop, sidecarUrl: () => sidecar.url(), sidecarRestarts: () => sidecar.restarts() },
    );
    return {
      url: app.url,
      async close() {
        await app.close();
        await sidecar.close();
      },
    };
  } catch (error) {
    await sidecar.close();
    throw error;
  }
}

export async function migrate(config: Config): Promise<void> {
  const database = await openDatabase(config.databaseUrl, {
    poolSize: config.databasePoolSize,
    statementLimitMs: config.databaseStatementTimeoutMs,
  });
  await database.close();
  const names = database.migrated.length === 0 ? 'nothing to do' : database.migrated.join(', ');
  process.stdout.write(`migrations applied: ${names}\n`);
}
