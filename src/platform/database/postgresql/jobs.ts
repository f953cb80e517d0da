import pRetry from 'p-retry';
import pg from 'pg';
import { fromPrisma, PgBoss } from 'pg-boss';
import { z } from 'zod';
import type { Job, Jobs } from '../types.js';

const SCHEMA = 'pgboss';
const QUEUE = 'parse';
/** Statements stay short, however many dumps were reset at once. */
const MAX_ADDED = 500;

const jobData = z.object({ key: z.string() });

/**
 * Creates or migrates pg-boss's schema, and the queue in it. Servers may do so at the same time: pg-boss takes a lock in
 * most of its transactions, and whoever fails since another was first finds everything there the next time.
 *
 * - "short": a key waits once at most, while a job of the same key may be in somebody's hands.
 * - No retries: a job that was taken up and came to nothing (its server died) is found by its row, as soon as the
 *   row's lease has expired, and added anew; that is sooner than pg-boss could know.
 * - Nobody needs a job after its end. One that nobody took for a day goes too: its row adds it again if need be.
 */
export function migrateJobs(connection: pg.Client): Promise<void> {
  return pRetry(() => migrateOnce(connection), {
    retries: MAX_RACES,
    minTimeout: RACE_PAUSE_MS,
    shouldRetry: ({ error }) => error instanceof pg.DatabaseError && MADE_ALREADY.has(error.code ?? ''),
  });
}

const MAX_RACES = 5;
const RACE_PAUSE_MS = 100;
/** SQLSTATE: a row, schema, table, type or function that somebody has made at the same moment. */
const MADE_ALREADY: ReadonlySet<string> = new Set(['23505', '42P06', '42P07', '42710', '42723']);

async function migrateOnce(connection: pg.Client): Promise<void> {
  const executeSql = async (text: string, values?: unknown[]) => {
    try {
      return await connection.query(text, values);
    } catch (error) {
      // A script that fails, since somebody was first, leaves its transaction open.
      await connection.query('ROLLBACK').catch(() => {});
      throw error;
    }
  };
  const boss = bossOn(executeSql, { supervise: false });
  // What it cannot do in the background is tried again at the next start.
  boss.on('error', () => {});
  try {
    await boss.start();
    await boss.createQueue(QUEUE, {
      policy: 'short',
      retryLimit: 0,
      expireInSeconds: 60 * 60,
      retentionSeconds: 24 * 60 * 60,
      deleteAfterSeconds: 60 * 60,
    });
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}

/** Starts with the first call of `start`; before it jobs can neither be added nor taken. */
export function createPostgresqlJobs(pool: pg.Pool, { onTrouble }: { onTrouble: (error: unknown) => void }) {
  const boss = bossOn((text, values) => pool.query(text, values), { supervise: true });
  boss.on('error', onTrouble);
  const jobs: Jobs = {
    add: (tx, keys) => insert(keys, { db: fromPrisma(tx) }),
    addNow: (keys) => insert(keys),
    async take(max) {
      const taken = await boss.fetch(QUEUE, { batchSize: max });
      return taken.map(({ id, data }): Job => ({ id, key: jobData.parse(data).key }));
    },
    async forget(done) {
      if (done.length > 0)
        await boss.deleteJob(
          QUEUE,
          done.map(({ id }) => id),
        );
    },
  };
  return {
    ...jobs,
    async start() {
      await boss.start();
      // Makes it know the queue, by a connection of the pool. Otherwise the first transaction that adds a job would ask for
      // a second connection, which it never gets where all others wait for what it has locked.
      await boss.insert(QUEUE, []);
    },
    stop: () => boss.stop({ graceful: false, close: false }),
  };

  async function insert(keys: readonly string[], options: { db?: ReturnType<typeof fromPrisma> } = {}) {
    for (let from = 0; from < keys.length; from += MAX_ADDED) {
      const batch = keys.slice(from, from + MAX_ADDED);
      await boss.insert(
        QUEUE,
        batch.map((key) => ({ singletonKey: key, data: { key } })),
        options,
      );
    }
  }
}

/** Who runs pg-boss's statements: a pool of its own would come on top of `DATABASE_POOL_SIZE`. */
function bossOn(
  executeSql: (text: string, values?: unknown[]) => Promise<pg.QueryResult>,
  { supervise }: { supervise: boolean },
): PgBoss {
  return new PgBoss({ db: { executeSql }, schema: SCHEMA, supervise, schedule: false });
}
