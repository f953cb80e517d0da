import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { freePort, unprivilegedUser } from '../../src/tools/postgresql-cluster.js';
import { eventually } from './app.js';

/** Where Debian's and Red Hat's packages, and Homebrew, put it. */
const PROGRAM = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find(existsSync);

/** Why tests with PgBouncer are skipped; null when they are not. */
export const NO_PGBOUNCER =
  PROGRAM === undefined ? 'no PgBouncer on this machine: install its package, pgbouncer' : null;

type PoolMode = 'session' | 'transaction' | 'statement';

/** A PgBouncer of its own before a database, gone when the test is. */
export async function aPgBouncer(databaseUrl: string, poolMode: PoolMode) {
  if (PROGRAM === undefined) throw new Error('a test needs PgBouncer and was not skipped');
  const target = new URL(databaseUrl);
  const dir = await mkdtemp(join(tmpdir(), 'coredock-pgbouncer-'));
  const settings = join(dir, 'pgbouncer.ini');
  const port = await freePort();
  const write = (mode: PoolMode) =>
    writeFile(
      settings,
      `[databases]
* = host=${target.hostname} port=${target.port} user=${target.username} password=${target.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
admin_users = admin
pool_mode = ${mode}
default_pool_size = 60
max_client_conn = 400
`,
    );
  await write(poolMode);
  const user = unprivilegedUser();
  if (user !== null) for (const path of [dir, settings]) await chown(path, user.uid, user.gid);
  await chmod(dir, 0o700);
  const bouncer = spawn(PROGRAM, [settings], { cwd: dir, stdio: ['ignore', 'ignore', 'ignore'], ...user });
  const ended = once(bouncer, 'exit');
  onTestFinished(async () => {
    bouncer.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true, force: true });
  });
  const url = Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${port}` }).href;
  await eventually(
    () =>
      ask(url, 'SELECT 1').then(
        () => true,
        () => false,
      ),
    'PgBouncer takes connections',
  );
  return {
    url,
    /** Another mode from now on, also for those who are connected: their connections are cut. */
    async change(mode: PoolMode) {
      await write(mode);
      const admin = Object.assign(new URL(url), {
        pathname: '/pgbouncer',
        username: 'admin',
        password: '',
      }).href;
      for (const command of [
        'RELOAD',
        `KILL "${target.pathname.slice(1)}"`,
        `RESUME "${target.pathname.slice(1)}"`,
      ])
        await ask(admin, command);
    },
  };
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
