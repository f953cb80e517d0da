import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { DomainError } from '../../errors.js';
import { Prisma, PrismaClient } from './generated/sqlite/client.js';
import { migrateSqlite } from './migrate.js';
import { createSqliteAdapterFactory } from './sqlite-adapter.js';

export { Prisma };
export type Db = PrismaClient;
/** What runs inside `db.$transaction(async (tx) => …)`. */
export type DbTransaction = Prisma.TransactionClient;

export interface Database {
  readonly db: Db;
  /** Migrations that were applied when it was opened. */
  readonly migrated: readonly string[];
  /** Calls `listener` with the SQL of every statement. For tests and traces. */
  onStatement(listener: (sql: string) => void): void;
  /** Proves that the database answers; rejects with UNAVAILABLE. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens and migrates the database of `url`.
 *
 * @param url `file:PATH` for SQLite
 * @throws Error with one clear sentence: cannot be written, in use by another server, of a newer version
 */
export async function openDatabase(url: string): Promise<Database> {
  const file = url.replace(/^file:/, '');
  const lock = lockForOneServer(file);
  try {
    const migrated = migrateSqlite(file);
    const db = new PrismaClient({
      adapter: createSqliteAdapterFactory(file),
      log: [{ emit: 'event', level: 'query' }],
      // A transaction may wait for its turn behind a long queue of others; that is load, not a fault.
      transactionOptions: { maxWait: 30_000, timeout: 30_000 },
    });
    return {
      db,
      migrated,
      onStatement: (listener) => db.$on('query', ({ query }) => listener(query)),
      check: () => checkDatabase(db),
      async close() {
        await db.$disconnect();
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * SQLite and the files beside it belong to one server at a time: a second one would take up the first one's parses
 * and sweep away its uploads in flight. The lock is SQLite's own, on a file of its own, so the operating system
 * lifts it whatever way the process ends.
 */
function lockForOneServer(file: string): DatabaseSyncInstance {
  const lock = openLockFile(file);
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw new Error(`the database ${file} is in use by another Coredock server; stop that one first`, {
      cause: error,
    });
  }
}

function openLockFile(file: string): DatabaseSyncInstance {
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    return new DatabaseSync(`${file}.lock`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the folder of the database ${file} cannot be written: ${reason}`, { cause: error });
  }
}

async function checkDatabase(db: Db): Promise<void> {
  try {
    await db.$queryRaw`SELECT 1`;
  } catch (error) {
    throw new DomainError('UNAVAILABLE', 'The database does not answer.', { cause: error });
  }
}
