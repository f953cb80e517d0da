import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aDatabaseUrl } from '../support/database.js';

async function aConnection(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function opened(url: string) {
  const database = await openDatabase(url, { poolSize: 2 });
  onTestFinished(database.close);
  return database;
}

const WAITING = `SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
  WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted`;

/** As Prisma's schema engine makes it. */
const RECORDS = `CREATE TABLE _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

describe('migrations of PostgreSQL', () => {
  it('are applied once when several servers start at the same time', async () => {
    const url = await aDatabaseUrl('');

    const databases = await Promise.all([opened(url), opened(url), opened(url)]);

    const applied = databases.map(({ migrated }) => migrated.length).sort();
    expect(applied.slice(0, 2)).toEqual([0, 0]);
    expect(applied[2]).toBeGreaterThan(0);
  });

  it('are applied by a server that waited while another made the table of their records', async () => {
    const url = await aDatabaseUrl('');
    const other = await aConnection(url);
    await other.query('BEGIN');
    await other.query('SELECT pg_advisory_xact_lock(72707369)');

    const waiting = opened(url);
    await expect.poll(async () => (await other.query(WAITING)).rowCount).toBe(1);
    await other.query(RECORDS);
    await other.query('COMMIT');

    expect((await waiting).migrated.length).toBeGreaterThan(0);
  });

  it('are recorded as Prisma does, so that its own commands can take over', async () => {
    const url = await aDatabaseUrl('');
    const { migrated } = await opened(url);

    const { rows } = await (await aConnection(url)).query(
      'SELECT * FROM _prisma_migrations ORDER BY migration_name',
    );

    expect(rows.map(({ migration_name }) => migration_name)).toEqual(migrated);
    for (const row of rows) {
      expect(row).toMatchObject({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
        finished_at: expect.any(Date),
        started_at: expect.any(Date),
        rolled_back_at: null,
        logs: null,
        applied_steps_count: 1,
      });
    }
  });

  it('make the tables of the shared queue too, and a role that may not make any can work with them all', async () => {
    const url = await aDatabaseUrl('');
    await opened(url);
    const connection = await aConnection(url);
    const role = `worker_${Date.now()}`;
    await connection.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    for (const schema of ['public', 'pgboss']) {
      await connection.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
      await connection.query(`GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
      await connection.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`);
    }

    const ofRole = Object.assign(new URL(url), { username: role, password: 'secret' }).href;
    const { migrated, jobs } = await opened(ofRole);
    await jobs?.start();
    await jobs?.addNow(['1:0', '2:0', '1:0']);

    expect(migrated).toEqual([]);
    expect((await jobs?.take(10))?.map(({ key }) => key).sort()).toEqual(['1:0', '2:0']);
  });

  it('of a newer version stop the start', async () => {
    const url = await aDatabaseUrl('');
    await opened(url);
    await (await aConnection(url)).query(
      `UPDATE _prisma_migrations SET migration_name = '29990101000000_later'`,
    );

    await expect(openDatabase(url)).rejects.toThrow(/29990101000000_later.*newer version of Coredock/);
  });

  it('want the schema that Prisma asks for', async () => {
    const url = await aDatabaseUrl('');

    const opening = openDatabase(`${url}?options=-c%20search_path%3Dpg_catalog`);

    await expect(opening).rejects.toThrow('the role\'s search_path begins with "pg_catalog"');
  });

  it('leave nothing behind when one of them fails', async () => {
    const url = await aDatabaseUrl('');
    const connection = await aConnection(url);
    await connection.query('CREATE TABLE "Firmware" (id INTEGER)');

    await expect(openDatabase(url)).rejects.toThrow('"Firmware" already exists');

    const { rows } = await connection.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
    expect(rows).toEqual([{ tablename: 'Firmware' }]);
  });

  it('cannot be applied where nobody answers, and the sentence about it names no password', async () => {
    const opening = openDatabase('postgresql://user:secret@127.0.0.1:1/coredock');

    const message = await opening.catch((error: Error) => error.message);
    expect(message).toMatch(
      /^DATABASE_URL: the database 127\.0\.0\.1:1\/coredock cannot be opened: .*ECONNREFUSED/,
    );
    expect(message).not.toContain('secret');
  });
});
