import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApp } from './app.js';
import type { Config } from './config.js';
import { openDatabase } from './platform/database/database.js';
import { createLogger } from './platform/logger.js';
import { superviseSidecar } from './sidecar/supervisor.js';

export interface ServeOptions {
  /** Run the bundled sidecar as a child, unless the settings name another one. */
  withSidecar: boolean;
}

/** Runs until SIGTERM or SIGINT. @throws Error or ConfigError with one clear line per problem */
export async function runServer(config: Config, { withSidecar }: ServeOptions): Promise<void> {
  const log = createLogger(config);
  // Settings that name a sidecar win: whoever replaces the bundled one does not want a second.
  const supervised = withSidecar && config.parser === null;
  const xferDir = join(config.coredumpsDir, '..', 'xfer');
  const sidecar = supervised
    ? await superviseSidecar({ cliPath: fileURLToPath(new URL('./cli.js', import.meta.url)), xferDir, log })
    : null;
  try {
    const app =
      sidecar === null
        ? await startApp(config, { log })
        : await startApp(
            { ...config, parser: { url: sidecar.url(), xferDir } },
            { log, sidecarUrl: () => sidecar.url() },
          );
    onStopSignal(async () => {
      await app.close();
      await sidecar?.close();
    });
  } catch (error) {
    await sidecar?.close();
    throw error;
  }
}

export async function migrate(config: Config): Promise<void> {
  const database = await openDatabase(config.databaseUrl);
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
