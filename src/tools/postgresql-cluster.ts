import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findPostgresql } from './postgresql-programs.js';

export interface PostgresqlCluster {
  /** URL of its superuser and first database, for `createDatabase`. */
  readonly url: string;
  /** Ends it, by SIGINT as an administrator does or by SIGQUIT as a crash does, and starts it again on its port. */
  restart(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  /** Stops the server and removes its files. */
  close(): Promise<void>;
}

/**
 * Starts a new PostgreSQL server on a free port of 127.0.0.1, with the programs of this machine: for tests and for the
 * check of migrations. Except for `settings` it has PostgreSQL's defaults, syncs included.
 *
 * @param parent folder in which the server's own folder is made; removed with the server
 * @param folder of the programs; the newest of `findPostgresql` if absent
 * @returns null when this machine has no PostgreSQL
 */
export async function startPostgresql(
  settings: readonly string[] = [],
  parent = tmpdir(),
  folder?: string,
): Promise<PostgresqlCluster | null> {
  const programs = folder ?? (await findPostgresql()).at(-1);
  if (programs === undefined) return null;

  const dir = await mkdtemp(join(parent, 'coredock-postgresql-'));
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(dir, 'password');
  const data = join(dir, 'data');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const user = unprivilegedUser();
  if (user !== null) {
    for (const path of [dir, passwordFile]) await chown(path, user.uid, user.gid);
  }
  await chmod(dir, 0o700);
  const run = (program: string, args: string[]) =>
    spawn(join(programs, program), args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], ...user });

  try {
    await succeeds(
      run('initdb', [
        ...['--pgdata', data, '--username', 'postgres', '--pwfile', passwordFile],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
      ]),
    );
    const port = await freePort();
    const startServer = () =>
      run('postgres', [
        ...['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', dir],
        ...['max_connections=400', 'shared_buffers=32MB', ...settings].flatMap((setting) => ['-c', setting]),
      ]);
    let server = startServer();
    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
    await untilReady(server, url);
    return {
      url,
      async restart(signal) {
        const ended = once(server, 'exit');
        server.kill(signal);
        await ended;
        server = startServer();
        await untilReady(server, url);
      },
      async close() {
        const ended = once(server, 'exit');
        // Shutdown mode "fast": it ends open connections.
        server.kill('SIGINT');
        await ended;
        await rm(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @param template name of the database to copy; nobody may be connected to it
 * @returns the URL of a new database of the cluster, which is empty without a template
 */
export async function createDatabase(clusterUrl: string, template?: string): Promise<string> {
  const name = `coredock_${randomBytes(8).toString('hex')}`;
  await query(
    clusterUrl,
    `CREATE DATABASE ${name}${template === undefined ? '' : ` TEMPLATE "${template}"`}`,
  );
  return Object.assign(new URL(clusterUrl), { pathname: `/${name}` }).href;
}

/** Drops a database of `createDatabase`, and ends its connections. */
export async function dropDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const cluster = Object.assign(new URL(url), { pathname: '/postgres' });
  await query(cluster.href, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** PostgreSQL and PgBouncer refuse to run as root; null when this process does not run as root. */
export function unprivilegedUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return null;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

type Child = ReturnType<typeof spawn>;

async function succeeds(child: Child): Promise<void> {
  const output = outputOf(child);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${child.spawnfile} failed: ${output()}`);
}

async function untilReady(server: Child, url: string): Promise<void> {
  const output = outputOf(server);
  for (;;) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended at its start: ${output()}`);
    try {
      return await query(url, 'SELECT 1');
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Its output so far; only the end is kept, because a server can run for long. */
function outputOf(child: Child): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4_000);
    });
  }
  return () => text;
}
