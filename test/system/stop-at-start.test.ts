import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { NO_POSTGRESQL } from '../../src/tools/postgresql-programs.js';
import { eventually } from '../support/app.js';
import { aFolder, aProgram, CLI, NODE } from '../support/program.js';

/** More by STOP_ROUNDS. */
const ROUNDS = Number(process.env.STOP_ROUNDS ?? 8);
const GRACE_MS = 10_000;

describe('SIGTERM at any moment of a start', () => {
  it.for([
    ['start', 'sqlite'],
    ['serve', 'sqlite'],
    ['start', 'postgresql'],
    ['serve', 'postgresql'],
  ] as const)(
    `coredock %s with %s ends with exit code 0, leaves nothing running, and starts again; ${ROUNDS} times`,
    { timeout: 600_000 },
    async ([command, database], { skip }) => {
      const cluster = database === 'sqlite' ? null : await startPostgresql();
      if (database === 'postgresql' && cluster === null) skip(NO_POSTGRESQL);
      onTestFinished(async () => cluster?.close());
      const dir = await aFolder();
      const environment: Record<string, string> =
        cluster === null ? {} : { DATABASE_URL: await createDatabase(cluster.url) };
      // What a whole start takes here and now says where its middle is.
      const startedAt = performance.now();
      const first = await aProgram(command, { dir: await aFolder(), environment });
      const wholeMs = performance.now() - startedAt;
      expect(await first.stop('SIGTERM')).toBe(0);

      for (let round = 0; round < ROUNDS; round++) {
        const program = begin(command, { dir, environment });
        await Promise.race([pause(((round + Math.random()) / ROUNDS) * wholeMs), program.ended]);
        program.stop();
        const late = pause(GRACE_MS * 2, 'it does not end' as const, { ref: false });
        const ended = await Promise.race([program.ended, late]);

        // Node itself dies of a signal until it has loaded the program's first file, which has nothing to lose.
        if (ended === 'killed at once') expect(program.log()).toBe('');
        else expect(ended).toBe(0);
        for (const pid of program.sidecars())
          await eventually(async () => !isAlive(pid), `the sidecar of round ${round} is gone`);
      }
      const again = await aProgram(command, { dir, environment });
      expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
      expect(await again.stop('SIGTERM')).toBe(0);
    },
  );

  it('is heard while the start waits for a lock that nobody gives back', async ({ skip }) => {
    const cluster = await startPostgresql();
    if (cluster === null) return skip(NO_POSTGRESQL);
    onTestFinished(cluster.close);
    const databaseUrl = await createDatabase(cluster.url);
    const somebody = new pg.Client(databaseUrl);
    somebody.on('error', () => {});
    await somebody.connect();
    onTestFinished(() => somebody.end());
    await somebody.query('SELECT pg_advisory_lock(72707369)');

    const program = begin('start', { dir: await aFolder(), environment: { DATABASE_URL: databaseUrl } });
    await eventually(async () => {
      const { rowCount } = await somebody.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
      );
      return (rowCount ?? 0) > 0;
    }, 'the start waits');
    program.stop();

    expect(await program.ended).toBe(0);
    for (const pid of program.sidecars()) await eventually(async () => !isAlive(pid), 'the sidecar is gone');
  });
});

/** The program, from its first moment on. */
function begin(command: string, { dir, environment }: { dir: string; environment: Record<string, string> }) {
  const child = spawn(NODE, [CLI, command], {
    cwd: dir,
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      SHUTDOWN_GRACE_MS: String(GRACE_MS),
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = new Promise<number | null | 'killed at once'>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal === 'SIGTERM' ? 'killed at once' : code)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    ended,
    log: () => log,
    stop: () => child.kill('SIGTERM'),
    /** By its log, which has a line for each of them. */
    sidecars: () => [...log.matchAll(/"sidecar":"[^"]+","pid":(\d+)/g)].map(([, pid]) => Number(pid)),
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
