import type { Config } from '../config/settings.js';
import { assertApart } from '../installation/apart.js';
import type { Pair } from '../installation/belonging.js';
import { namedStores } from '../installation/stores.js';
import { openBlobStores } from '../platform/blobs/open-blob-stores.js';
import { openDatabase } from '../platform/database/open-database.js';
import type { Database } from '../platform/database/types.js';
import type { Stores } from './copy-blobs.js';

/** Tells our connections from those of servers. */
const APPLICATION = 'coredock-moving';

export interface House {
  readonly database: Database;
  /** The same, as what belongs together or does not. */
  readonly pair: Pair;
  readonly stores: Stores;
  /** To be called once more when the work is done: PostgreSQL keeps nobody out. @throws Error when a server works */
  assertAlone(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The database and storage of the settings, while no server works with them.
 * @throws Error with one clear sentence, also when a server does
 */
export async function openHouse(config: Config): Promise<House> {
  assertApart(config);
  // SQLite's lock is taken here, so that no server can come.
  const database = await openDatabase(named(config.databaseUrl), {
    poolSize: config.databasePoolSize,
    statementLimitMs: config.databaseStatementTimeoutMs,
  });
  try {
    const assertAlone = async () => {
      if (database.isShared) await assertNoServer(database);
    };
    await assertAlone();
    const { dumps, firmwares, close } = await openBlobStores(config);
    return {
      database,
      assertAlone,
      pair: {
        database,
        databaseUrl: config.databaseUrl,
        stores: namedStores(config, { dumps, firmwares }),
      },
      stores: { Coredump: dumps, Firmware: firmwares },
      async close() {
        close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function named(url: string): string {
  if (url.startsWith('file:')) return url;
  const withName = new URL(url);
  withName.searchParams.set('application_name', APPLICATION);
  return withName.href;
}

async function assertNoServer({ db }: Database): Promise<void> {
  const rows = await db.$queryRaw<Array<{ count: number | bigint }>>`
    SELECT count(*) AS "count" FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'coredock'`;
  if (Number(rows[0]?.count ?? 0) === 0) return;
  throw new Error('the database is in use by a Coredock server; stop every server first');
}
