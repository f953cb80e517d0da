import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApp } from './app.js';
import type { Config } from './config.js';
import { openDatabase } from './platform/database/database.js';
import { createLogger } from './platform/logger.js';
import { prepareTransferFolder } from './platform/transfer-folder.js';
import { superviseSidecar } from './sidecar/supervisor.js';

export interface ServeOptions {
  /** Run the bundled sidecar as a child, unless the settings name another one. */
  withSidecar: boolean;
}

/** Runs until SIGTERM or SIGINT. @throws Error or ConfigError with one clear line per problem */
export async function runServer(config: Config, options: ServeOptions): Promise<void> {
  const starting = start(config, options);
  // From the first moment on: who stops a server that is still starting gets a graceful stop as well.
  onStopSignal(async () => {
    const running = await starting.catch(() => null);
    await running?.close();
  });
  await starting;
}

async function start(config: Config, { withSidecar }: ServeOptions): Promise<{ close(): Promise<void> }> {
  const log = createLogger(config);
  // Settings that name a sidecar win: whoever replaces the bundled one does not want a second.
  if (!withSidecar || config.parser !== null) return startApp(config, { log });

  const xferDir = join(config.coredumpsDir, '..', 'xfer');
  await prepareTransferFolder(xferDir, `COREDUMPS_DIR=${config.coredumpsDir}`);
  const cliPath = fileURLToPath(new URL('./cli.js', import.meta.url));
  const sidecar = await superviseSidecar({ cliPath, xferDir, log });
  try {
    const parser = { url: sidecar.url(), xferDir };
    const app = await startApp({ ...config, parser }, { log, sidecarUrl: () => sidecar.url() });
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

/** The first signal stops gracefully; a second one is somebody who does not want to wait. */
function onStopSignal(stop: () => Promise<void>): void {
  let isStopping = false;
  const handle = () => {
    if (isStopping) process.exit(130);
    isStopping = true;
    void stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}
