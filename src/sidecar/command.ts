import { readDotenv } from '../config/dotenv.js';
import { readConfig } from '../config/settings.js';
import { messageOf } from '../errors.js';
import { openLog } from '../platform/logger.js';
import { announce } from './announcement.js';
import { type Sidecar, startSidecar } from './server.js';

/** The rest of the server's timeout is for reading the files and sending the answer. */
const SHARE_OF_TIMEOUT = 5 / 6;

/**
 * `coredock sidecar`: runs until SIGTERM or SIGINT, or until its supervisor has ended. If it cannot start, it prints
 * one line for each problem and exits with code 1.
 *
 * `PARSE_CONCURRENCY` is the number of workers, `PARSE_TIMEOUT_MS` the time that the server waits for an answer.
 */
export async function runSidecar({ port, xferDir }: { port: number; xferDir: string }): Promise<void> {
  endWithSupervisor();
  try {
    readDotenv();
    const config = readConfig(process.env);
    const log = await openLog(config);
    const sidecar = await startSidecar({
      port,
      xferDir,
      log,
      workers: config.parseConcurrency,
      romElfDir: config.romElfDir,
      timeoutMs: Math.ceil(config.parseTimeoutMs * SHARE_OF_TIMEOUT),
    });
    onStopSignal(sidecar);
    // A supervisor logs it.
    if (process.channel === undefined) log.info({ url: sidecar.url, xferDir }, 'the parse sidecar is up');
    announce(sidecar.url);
  } catch (error) {
    for (const line of explain(error, port)) process.stderr.write(`coredock: ${line}\n`);
    process.exitCode = 1;
  }
}

/** The channel closes when the parent has ended, for any reason; nobody waits for answers then. */
function endWithSupervisor(): void {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.exit(0));
  process.channel.unref();
  // Ctrl-C reaches the whole process group, but the supervisor decides when a supervised sidecar ends.
  process.on('SIGINT', () => {});
}

/** The first signal stops gracefully, the second one at once. */
function onStopSignal(sidecar: Sidecar): void {
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(130);
    isStopping = true;
    void sidecar.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  if (process.channel === undefined) process.on('SIGINT', stop);
}

function explain(error: unknown, port: number): string[] {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return [`127.0.0.1:${port} is in use by another program; choose another --port`];
  if (code === 'EACCES' || code === 'EPERM') return [`not allowed: ${messageOf(error)}`];
  return messageOf(error).split('\n');
}
