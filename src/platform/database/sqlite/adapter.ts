/**
 * Prisma driver adapter for SQLite over `@photostructure/sqlite` (the node:sqlite interface for every supported Node,
 * native code shipped in the package, so nothing is compiled or downloaded at install).
 *
 * Why not Prisma's own adapter: it has one connection. A query outside a transaction that runs during another caller's
 * transaction silently becomes part of that transaction, and is rolled back with it. Here
 * - reads outside transactions have a separate connection (WAL: they never wait for the writer), and
 * - writes and transactions queue for the writer, one at a time, in order of arrival.
 *
 * Dates are stored as integers, milliseconds since 1970, as Prisma's native SQLite engine did.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  DriverAdapterError,
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQueryable,
  type Transaction,
} from '@prisma/driver-adapter-utils';
import { createSemaphore } from '../../semaphore.js';
import { BUSY_TIMEOUT_MS, Connection, openConnection, openToRead } from './connection.js';
import type { WriteGuard } from './guard.js';
import { guarded, isBusy } from './sqlite-errors.js';

const ADAPTER = { provider: 'sqlite', adapterName: 'coredock-sqlite' } as const;

/** SQLite's limit for bound values (SQLITE_MAX_VARIABLE_NUMBER) since 3.32. */
const MAX_BOUND_VALUES = 32_766;
const CONNECTION_INFO = { maxBindValues: MAX_BOUND_VALUES, supportsRelationJoins: false };
/** Pause before the writer retries a lock that another process holds. */
const BUSY_PAUSE_MS = 20;

const NO_GUARD: WriteGuard = { assertMayWrite() {}, assertKept() {}, noteError() {} };

/** @param file path of the database file, or ":memory:" (then reads share the writer's connection) */
export function createSqliteAdapterFactory(file: string, guard = NO_GUARD): SqlDriverAdapterFactory {
  return { ...ADAPTER, connect: async () => openSqlite(file, guard) };
}

/** Opens one read-only connection. @param file as for `openConnection` */
export function createSqliteReaderFactory(file: string): SqlDriverAdapterFactory {
  return {
    ...ADAPTER,
    async connect() {
      const reader = new Connection(openToRead(file), NO_GUARD);
      return {
        ...ADAPTER,
        queryRaw: async (query) => reader.query(query),
        // SQLite refuses writes: the connection is query_only.
        executeRaw: async (query) => reader.execute(query),
        executeScript: async (script) => reader.script(script),
        async startTransaction() {
          throw new Error('a connection that only reads has no transactions');
        },
        getConnectionInfo: () => CONNECTION_INFO,
        dispose: async () => reader.close(),
      };
    },
  };
}

function openSqlite(file: string, guard: WriteGuard): SqlDriverAdapter {
  const writer = new Connection(openConnection(file), guard);
  // SQLite would block our only thread while it waits for the lock, so `whenNotBusy` waits instead.
  writer.script('PRAGMA busy_timeout = 0');
  const reader = file === ':memory:' ? writer : new Connection(openConnection(file), guard);
  const writeLock = createSemaphore(1);

  const whenWriterIsFree = async <T>(work: () => T): Promise<T> => {
    const release = await writeLock.acquire();
    try {
      return await whenNotBusy(() => {
        guarded(() => guard.assertMayWrite());
        const result = work();
        guarded(() => guard.assertKept());
        return result;
      });
    } finally {
      release();
    }
  };
  return {
    ...ADAPTER,
    queryRaw: async (query) =>
      isRead(query.sql) ? reader.query(query) : whenWriterIsFree(() => writer.query(query)),
    executeRaw: (query) => whenWriterIsFree(() => writer.execute(query)),
    executeScript: (script) => whenWriterIsFree(() => writer.script(script)),
    async startTransaction(isolationLevel?: IsolationLevel) {
      if (isolationLevel !== undefined && isolationLevel !== 'SERIALIZABLE') {
        throw new DriverAdapterError({ kind: 'InvalidIsolationLevel', level: isolationLevel });
      }
      const release = await writeLock.acquire();
      try {
        return await whenNotBusy(() => {
          guarded(() => guard.assertMayWrite());
          return beginTransaction(writer, release, guard);
        });
      } catch (error) {
        release();
        throw error;
      }
    },
    getConnectionInfo: () => CONNECTION_INFO,
    async dispose() {
      const release = await writeLock.acquire();
      if (reader !== writer) reader.close();
      writer.close();
      release();
    },
  };
}

/** For single statements, and the first one of a transaction: without the lock nothing was done, so a retry is safe. */
async function whenNotBusy<T>(work: () => T): Promise<T> {
  const giveUpAt = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
      await pause(BUSY_PAUSE_MS);
    }
  }
}

function beginTransaction(writer: Connection, release: () => void, guard: WriteGuard): Transaction {
  // IMMEDIATE takes the write lock now, where waiting is possible; upgrading a read transaction later fails at once.
  writer.script('BEGIN IMMEDIATE');
  const queryable: SqlQueryable = {
    ...ADAPTER,
    queryRaw: async (query) => writer.query(query),
    executeRaw: async (query) => writer.execute(query),
  };
  // After a failed COMMIT Prisma may still request a rollback, when another caller already has the writer.
  let ended = false;
  const end = (statement: 'COMMIT' | 'ROLLBACK') => {
    if (ended) return;
    ended = true;
    try {
      // SQLite has rolled back by itself after some errors (full disk).
      if (writer.inTransaction) writer.script(statement);
      else if (statement === 'COMMIT') throw new DriverAdapterError({ kind: 'TransactionWriteConflict' });
      if (statement === 'COMMIT') guarded(() => guard.assertKept());
    } catch (error) {
      if (writer.inTransaction) writer.script('ROLLBACK');
      throw error;
    } finally {
      release();
    }
  };
  return {
    ...queryable,
    // "phantom": Prisma calls commit() and rollback(), and this adapter runs the statements.
    options: { usePhantomQuery: true },
    commit: async () => end('COMMIT'),
    rollback: async () => end('ROLLBACK'),
    createSavepoint: async (name) => writer.script(`SAVEPOINT ${name}`),
    rollbackToSavepoint: async (name) => writer.script(`ROLLBACK TO ${name}`),
    releaseSavepoint: async (name) => writer.script(`RELEASE SAVEPOINT ${name}`),
  };
}

/** WITH may also start a write, and the program has no reads that start with it; so only SELECT counts as a read. */
function isRead(sql: string): boolean {
  return /^\s*(SELECT|PRAGMA)\b/i.test(sql);
}
