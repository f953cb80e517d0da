import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/settings.js';
import { assertListenable } from '../http/listen-address.js';
import { openDatabase } from '../platform/database/open-database.js';
import { prepareTransferFolder } from '../platform/files/transfer-folder.js';
import { createLogger, type Logger } from '../platform/logger.js';
import { superviseSidecar } from '../sidecar/supervisor.js';
import { startApp } from './start-app.js';

export interface ServeOptions {
  /** Run the bundled sidecar as a child, unless the settings name another one. */
  withSidecar: boolean;
}

/** What closing may take beside the requests in flight, which have SHUTDOWN_GRACE_MS: a database may say nothing. */
const CLOSE_MS = 10_000;

/**
 * Runs until `stop` is aborted, and then ends the process: gracefully where the server is up. A start under way is given
 * up; the next start takes up what it has begun, as after a server that was killed.
 *
 * @throws Error or ConfigError with one clear line per problem
 */
export async function runServer(config: Config, options: ServeOptions, stop: AbortSignal): Promise<void> {
  const log = createLogger(config);
  if (stop.aborted) return;
  const starting = start(config, options, { log, stop });
  stop.addEventListener('abort', () => void end(), { once: true });
  try {
    await starting;
  } catch (error) {
    if (!stop.aborted) throw error;
  }

  async function end(): Promise<void> {
    const running = await within(
      config.shutdownGraceMs,
      starting.catch(() => null),
    );
    if (running === 'late' || running === null) log.info('stopped before it was up');
    else if ((await within(config.shutdownGraceMs + CLOSE_MS, running.close())) === 'late') {
      log.warn('something did not let itself be closed; the process is ended');
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
): Promise<{ close(): Promise<void> }> {
  // First of all: what comes next migrates the database and starts a child.
  await assertListenable(config);
  // Settings that name a sidecar win: whoever replaces the bundled one does not want a second.
  if (!withSidecar || config.parser !== null) return startApp(config, { log, stopping: stop });

  const xferDir = join(config.coredumpsDir, '..', 'xfer');
  await prepareTransferFolder(xferDir, `COREDUMPS_DIR=${config.coredumpsDir}`);
  const cliPath = fileURLToPath(new URL('../cli.js', import.meta.url));
  const sidecar = await superviseSidecar({ cliPath, xferDir, log, stop });
  try {
    const parser = { url: sidecar.url(), xferDir };
    const app = await startApp(
      { ...config, parser },
      { log, stopping: stop, sidecarUrl: () => sidecar.url() },
    );
    return {
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
