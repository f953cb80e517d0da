import pRetry from 'p-retry';
import pg from 'pg';
import { fromPrisma, PgBoss } from 'pg-boss';
import * as z from 'zod';
import type { Job, Jobs } from '../types.js';

const SCHEMA = 'pgboss';
const QUEUE = 'parse';
/** Keeps statements short, however many dumps were reset at once. */
const MAX_ADDED = 500;

const jobData = z.object({ key: z.string() });

/**
 * Creates or migrates pg-boss's schema, and the queue in it. Servers may do so at the same time: pg-boss takes a lock
 * in most of its transactions, and a server that fails because another was first finds everything in place at the next
 * attempt.
 *
 * - Policy "short": at most one job per key waits, while another job of the same key may be active.
 * - No retries: a job that was taken and not finished (its server died) is found by its row as soon as the row's lease
 *   has expired, and added again; pg-boss would notice later.
 * - Finished jobs are deleted. So is a job that waited for a day: its row adds it again if necessary.
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
/** SQLSTATE: a row, schema, table, type or function that another server created at the same time. */
const MADE_ALREADY: ReadonlySet<string> = new Set(['23505', '42P06', '42P07', '42710', '42723']);

async function migrateOnce(connection: pg.Client): Promise<void> {
  const executeSql = async (text: string, values?: unknown[]) => {
    try {
      return await connection.query(text, values);
    } catch (error) {
      // A script that fails because another server was first leaves its transaction open.
      await connection.query('ROLLBACK').catch(() => {});
      throw error;
    }
  };
  const boss = bossOn(executeSql, { supervise: false });
  // Background work of pg-boss that fails is repeated at the next start.
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

/** Jobs can only be added and taken after `start`. */
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
      // Loads the queue's options with a connection of the pool. Otherwise the first transaction that adds a job would
      // need a second connection, which it never gets if all others wait for its locks.
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

/** Runs pg-boss's statements on our pool: a pool of its own would exceed `DATABASE_POOL_SIZE`. */
function bossOn(
  executeSql: (text: string, values?: unknown[]) => Promise<pg.QueryResult>,
  { supervise }: { supervise: boolean },
): PgBoss {
  return new PgBoss({ db: { executeSql }, schema: SCHEMA, supervise, schedule: false });
}
