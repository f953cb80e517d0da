import type { Config } from '../config/settings.js';
import type { Pair } from '../installation/matching.js';
import { assertSeparateFolders } from '../installation/separate-folders.js';
import { namedStores } from '../installation/stores.js';
import { openBlobStores } from '../platform/blobs/open-blob-stores.js';
import { openDatabase } from '../platform/database/open-database.js';
import type { Database } from '../platform/database/types.js';
import type { Stores } from './copy-blobs.js';

/** The application name of our connections in PostgreSQL; servers use another. */
const APPLICATION = 'coredock-offline';

/** Database and storage that no server uses. */
export interface ExclusiveAccess {
  readonly database: Database;
  /** The same, in the form that the checks of src/installation take. */
  readonly pair: Pair;
  readonly stores: Stores;
  /**
   * Call it again at the end of the work: PostgreSQL does not keep servers out. @throws Error when a server is
   * connected
   */
  assertAlone(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the database and the storage of the settings while no server uses them.
 * @throws Error with one clear sentence, also when a server uses them
 */
export async function openExclusive(config: Config): Promise<ExclusiveAccess> {
  assertSeparateFolders(config);
  // Takes SQLite's lock, so that no server can start.
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
