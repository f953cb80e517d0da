import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireVersion } from '../../src/platform/database/postgresql/migrate-postgresql.js';
import { createDatabase, startPostgresql } from '../../src/tools/postgresql-cluster.js';
import { findPostgresql } from '../../src/tools/postgresql-programs.js';
import { aDevice, aServer, stored } from '../support/app.js';
import { memoryFolder } from '../support/memory-folder.js';
import { aSubscriber } from '../support/subscriber.js';

/** All servers of this machine, or that of POSTGRES_BIN; `npm test` runs everything else with the newest of them. */
let folders: string[];

beforeAll(async () => {
  folders = await findPostgresql();
});

describe('each PostgreSQL of this machine', () => {
  it('is of a version that is supported, and migrates, stores, queues and tells', async () => {
    const versions: number[] = [];
    for (const folder of folders) {
      const cluster = await startPostgresql(['fsync=off'], memoryFolder(), folder);
      if (cluster === null) throw new Error(`${folder} has no server`);
      try {
        versions.push(await versionOf(cluster.url));
        const app = await aServer({ DATABASE_URL: await createDatabase(cluster.url) });
        await aDevice(app);
        const { states } = await aSubscriber(app);

        const { coredumpId } = await stored(app, 'a dump');

        await expect.poll(() => states.get(coredumpId)).toBe('PENDING');
        await app.close();
      } finally {
        await cluster.close();
      }
    }

    expect(versions).not.toHaveLength(0);
    expect(versions.filter((version) => version < 15)).toEqual([]);
  });
});

describe('a PostgreSQL that is too old', () => {
  it.each([
    ['14.23', '140023'],
    ['9.6.24', '90624'],
  ])('is refused with one sentence that names what is needed: %s', async (version, number) => {
    const client = { query: async () => ({ rows: [{ version, number }] }) };

    await expect(requireVersion(client as never)).rejects.toThrow(
      `its server is PostgreSQL ${version}; Coredock needs 15 or newer`,
    );
  });
});

async function versionOf(url: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ number: string }>(
    "SELECT current_setting('server_version_num') AS number",
  );
  await client.end();
  return Math.floor(Number(rows[0]?.number) / 10_000);
}
