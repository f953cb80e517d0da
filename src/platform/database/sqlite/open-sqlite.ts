import { pathToFileURL } from 'node:url';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { DomainError, messageOf } from '../../../errors.js';
import type { Logger } from '../../logger.js';
import { createKeyedMutex } from '../../semaphore.js';
import { createChangeLog } from '../change-log.js';
import { CLIENT_OPTIONS } from '../client.js';
import { PrismaClient } from '../generated/sqlite/client.js';
import { lookupInSqlite, observable } from '../lookup.js';
import type { Announcements, OpenedDatabase, OpenedForReading } from '../types.js';
import { createSqliteAdapterFactory, createSqliteReaderFactory } from './adapter.js';
import { sqliteLog } from './changes.js';
import { openConnection, openToRead } from './connection.js';
import { createDiskReserve, type DiskReserve } from './disk-reserve.js';
import { databaseProblem, prepareDatabaseFile } from './file.js';
import { createSqliteGuard } from './guard.js';
import { migrateSqlite } from './migrate-sqlite.js';
import { lockForOneServer } from './server-lock.js';
import { fillIndexHoles } from './wal-index.js';

/**
 * @param log gets one line when the disk is full or the file is gone, and one when that is over
 * @throws Error with one clear sentence: cannot be written, in use by another server, of a newer version
 */
export async function openSqlite(
  file: string,
  { log, now }: { log?: Logger | undefined; now: () => Date },
): Promise<OpenedDatabase> {
  await prepareDatabaseFile(file);
  const lock = lockForOneServer(file);
  const opened: Array<() => void> = [lock.release];
  const closeAll = () => {
    for (const close of opened.splice(0).reverse()) close();
  };
  try {
    const reserve = createDiskReserve({ file, log });
    const name = nameFor(file, reserve);
    const reader = openReader(file, name, reserve);
    const closeIndex = name === file ? fillIndexHoles(file) : () => {};
    opened.push(closeIndex, () => reader.close());
    const migrated = migrate(file, name);
    const guard = createSqliteGuard({ file, reserve, maintenance: reader, log });
    opened.push(guard.close);
    const connections = createSqliteAdapterFactory(name, guard);
    let isClosed = false;
    const adapter: typeof connections = {
      ...connections,
      // Prisma would connect again for a query after the end, when another server may have the file, or it is gone.
      connect: async () => (isClosed ? refuseClosed() : connections.connect()),
    };
    const client = new PrismaClient({ adapter, ...CLIENT_OPTIONS });
    const lookups = observable(lookupInSqlite(reader));
    const db = Object.assign(client, {
      lookup: lookups.lookup,
      hasLateral: false,
      fromReserve: reserve.fromReserve,
    });
    return {
      db,
      isShared: false,
      migrated,
      reading: { kind: 'sqlite', name },
      // Only one server uses the database, so a mutex within it is enough.
      runExclusive: createKeyedMutex(),
      announcements: NO_OTHER_SERVER,
      changes: createChangeLog(db, sqliteLog),
      jobs: null,
      now: async () => now(),
      disk: file,
      async assertWritable() {
        const problem = guard.problem();
        if (problem !== null) throw new DomainError(problem.code, problem.message);
      },
      onStatement(listener) {
        client.$on('query', ({ query }) => listener(query));
        lookups.onStatement(listener);
      },
      async close() {
        isClosed = true;
        await client.$disconnect();
        closeAll();
      },
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}

const NO_OTHER_SERVER: Announcements = {
  announce: async () => {},
  follow: async () => {},
  isHearing: () => true,
};

/** Opens the same file again, for reading. @param name as in `reading` */
export function openSqliteForReading(name: string): OpenedForReading {
  const client = new PrismaClient({ adapter: createSqliteReaderFactory(name), ...CLIENT_OPTIONS });
  const db = Object.assign(client, {
    lookup: lookupInSqlite(openToRead(name)),
    hasLateral: false,
    fromReserve: <T>(work: () => Promise<T>) => work(),
  });
  return { db, isShared: false };
}

function refuseClosed(): never {
  throw new DomainError('UNAVAILABLE', 'The database is closed: the server has stopped.');
}

/**
 * On a full disk the index of the write-ahead log is kept in memory, for this server alone: the file could not be
 * created, or would end the process when it is accessed. `coredock backup` must then wait as long as this server runs.
 */
function nameFor(file: string, reserve: DiskReserve): string {
  return reserve.isFull() ? `${pathToFileURL(file).href}?vfs=unix-excl` : file;
}

/** The first connection: it shows what is wrong with the file. */
function openReader(file: string, name: string, reserve: DiskReserve): DatabaseSyncInstance {
  try {
    return connectAndRead(name);
  } catch (error) {
    // No space or no inode for the log beside the database: releasing the reserve frees both.
    if (reserve.release()) return openReader(file, name, reserve);
    throw databaseProblem(file, `cannot be opened: ${messageOf(error)}`, error);
  }
}

function connectAndRead(name: string): DatabaseSyncInstance {
  const connection = openConnection(name);
  try {
    connection.prepare('SELECT count(*) FROM sqlite_schema').all();
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function migrate(file: string, name: string): string[] {
  try {
    return migrateSqlite(name);
  } catch (error) {
    throw databaseProblem(file, `cannot be used: ${messageOf(error)}`, error);
  }
}
