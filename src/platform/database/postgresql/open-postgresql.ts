import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { DomainError, messageOf } from '../../../errors.js';
import type { Logger } from '../../logger.js';
import { createKeyedMutex } from '../../semaphore.js';
import { createChangeLog } from '../change-log.js';
import { CLIENT_OPTIONS } from '../client.js';
import { PrismaClient } from '../generated/postgresql/client.js';
import { lookupInPostgresql, observable } from '../lookup.js';
import type { Db, Lookup, OpenedDatabase, OpenedForReading, RunExclusive } from '../types.js';
import { createPostgresqlAnnouncements } from './announcements.js';
import { postgresqlLog } from './changes.js';
import { createPostgresqlJobs } from './jobs.js';
import { migratePostgresql } from './migrate-postgresql.js';
import { limitStatements } from './statement-limit.js';

/** How long a request may wait for a new connection or a free one of the pool before it fails as UNAVAILABLE. */
const CONNECTION_TIMEOUT_MS = 10_000;

/** Time for PostgreSQL's answer after it has cancelled a statement. */
const ANSWER_MS = 1_000;

/**
 * The first key of our advisory locks, to avoid collisions with other programs; the second is the hash of the lock's
 * name.
 */
const MUTEX_LOCKS = 0x636f7265; // "core"
/** SQLSTATE after `lock_timeout`. */
const LOCK_NOT_AVAILABLE = '55P03';

/** @throws Error with one clear sentence: cannot be reached, of a newer version, a migration failed */
export async function openPostgresql(
  url: string,
  {
    poolSize,
    statementLimitMs,
    log,
    stop,
  }: {
    poolSize: number;
    statementLimitMs: number;
    log?: Logger | undefined;
    stop?: AbortSignal | undefined;
  },
): Promise<OpenedDatabase> {
  // Exclusive work holds one connection for its lock and needs another for its statements.
  const readingSize = Math.max(1, Math.floor(poolSize / 2));
  const size = Math.max(2, poolSize - readingSize);
  const config = poolConfig(url, size);
  const migrated = await migrate(config, { url, stop });
  const { pool, client, lookups } = openPool(config, { statementLimitMs, log });
  const db = asDb(client, lookups.lookup);
  const announcements = createPostgresqlAnnouncements(config, {
    pool,
    onTrouble: (error) =>
      log?.warn({ err: error }, 'changes of other servers cannot be received; trying again'),
  });
  const jobs = createPostgresqlJobs(pool, {
    onTrouble: (error) => log?.warn({ err: error }, 'the shared queue reports an error; it is retried'),
  });
  return {
    db,
    isShared: true,
    migrated,
    reading: { kind: 'postgresql', url, poolSize: readingSize, statementLimitMs },
    disk: null,
    async assertWritable() {},
    runExclusive: createSharedMutex(pool, Math.ceil(statementLimitMs / 2)),
    announcements,
    changes: createChangeLog(db, postgresqlLog),
    jobs,
    now: () => readClock(pool),
    onStatement(listener) {
      client.$on('query', ({ query }) => listener(query));
      lookups.onStatement(listener);
    },
    async close() {
      await announcements.close();
      await jobs.stop();
      await client.$disconnect();
      await pool.end();
    },
  };
}

/** Opens another pool for a reader: nothing is migrated, announced or queued. */
export function openPostgresqlForReading({
  url,
  poolSize,
  statementLimitMs,
}: {
  url: string;
  poolSize: number;
  statementLimitMs: number;
}): OpenedForReading {
  const { client, lookups } = openPool(poolConfig(url, poolSize), { statementLimitMs });
  return { db: asDb(client, lookups.lookup), isShared: true };
}

function poolConfig(url: string, size: number): pg.PoolConfig {
  return {
    connectionString: url,
    max: size,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
    fallback_application_name: 'coredock',
  };
}

function openPool(
  config: pg.PoolConfig,
  { statementLimitMs, log }: { statementLimitMs: number; log?: Logger | undefined },
) {
  const pool = new pg.Pool({
    ...config,
    // PostgreSQL itself then cancels statements that wait for a lock, also for clients that have disconnected. Set by a
    // statement, because poolers refuse it as a start-up parameter.
    onConnect: async (connection) =>
      void (await connection.query(`SET statement_timeout = ${statementLimitMs}`)),
  });
  // Idle connections break when the database restarts: the pool has already dropped them, and opens new ones.
  pool.on('error', () => {});
  // So do connections in use, also between two statements, when no query listens for errors: the next statement fails.
  // An error without a listener would end the process.
  pool.on('connect', (connection) => connection.on('error', () => {}));
  const onLimit = () =>
    log?.warn(
      { limitMs: statementLimitMs },
      'PostgreSQL has not answered a statement; its connection is ended',
    );
  pool.on('connect', (connection) =>
    limitStatements(connection, { limitMs: statementLimitMs + ANSWER_MS, onLimit }),
  );
  const client = new PrismaClient({ adapter: new PrismaPg(pool), ...CLIENT_OPTIONS });
  return { pool, client, lookups: observable(lookupInPostgresql(pool)) };
}

function asDb(client: PrismaClient, lookup: Lookup): Db {
  // Same models and methods: the types of the two clients differ only in names and in features that Coredock does not
  // use.
  return Object.assign(client, {
    lookup,
    hasLateral: true,
    fromReserve: (work: () => Promise<unknown>) => work(),
  }) as unknown as Db;
}

async function migrate(
  config: pg.ClientConfig,
  { url, stop }: { url: string; stop: AbortSignal | undefined },
): Promise<string[]> {
  try {
    return await migratePostgresql(config, { stop });
  } catch (error) {
    // Without user and password, because the sentence is logged.
    const { host, pathname } = new URL(url);
    const [cause] = error instanceof AggregateError ? error.errors : [error];
    const reason = messageOf(cause);
    throw new Error(`DATABASE_URL: the database ${host}${pathname} cannot be opened: ${reason}`, {
      cause: error,
    });
  }
}

async function readClock(pool: pg.Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now').catch(unavailable);
  const [row] = rows;
  if (row === undefined) throw new Error('PostgreSQL did not answer with its time');
  return row.now;
}

/**
 * First a mutex of this process, so that waiting callers here hold no connection. Then a lock among all servers: an
 * advisory lock that ends with its transaction, or with the connection of a dead server.
 */
function createSharedMutex(pool: pg.Pool, waitMs: number): RunExclusive {
  const runHere = createKeyedMutex();
  return (name, work) =>
    runHere('shared', async () => {
      const connection = await pool.connect().catch(unavailable);
      let broken: Error | undefined;
      const onError = (error: Error) => {
        broken = error;
      };
      connection.on('error', onError);
      try {
        await begin(connection, name, waitMs).catch(unavailable);
        return await work();
      } finally {
        await connection.query('COMMIT').catch(onError);
        connection.off('error', onError);
        connection.release(broken);
      }
    });
}

/** Waits for the lock without a limit, in statements that each end well before the statement limit. */
async function begin(connection: pg.PoolClient, name: string, waitMs: number): Promise<void> {
  for (;;) {
    await connection.query('BEGIN');
    await connection.query(`SET LOCAL lock_timeout = ${waitMs}`);
    try {
      await connection.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [MUTEX_LOCKS, name]);
      return;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
      await connection.query('ROLLBACK');
    }
  }
}

function unavailable(error: unknown): never {
  throw new DomainError('UNAVAILABLE', 'The database is not available now; try again.', { cause: error });
}
