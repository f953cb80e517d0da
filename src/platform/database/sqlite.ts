import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { NOBODY_ELSE } from './announcements.js';
import { CLIENT_OPTIONS } from './client-options.js';
import type { OpenedDatabase } from './database.js';
import { PrismaClient } from './generated/sqlite/client.js';
import { lookupInSqlite, observable } from './lookup.js';
import { migrateSqlite } from './migrate-sqlite.js';
import { createSqliteAdapterFactory, openConnection } from './sqlite-adapter.js';
import { createTurns } from './turns.js';

/** @throws Error with one clear sentence: cannot be written, in use by another server, of a newer version */
export async function openSqlite(file: string): Promise<OpenedDatabase> {
  const lock = lockForOneServer(file);
  try {
    const migrated = migrateSqlite(file);
    const client = new PrismaClient({ adapter: createSqliteAdapterFactory(file), ...CLIENT_OPTIONS });
    const reader = openConnection(file);
    const lookups = observable(lookupInSqlite(reader));
    const db = Object.assign(client, { lookup: lookups.lookup, hasLateral: false });
    return {
      db,
      isShared: false,
      migrated,
      // One server at a time, so turns within it are enough.
      inTurn: createTurns(),
      announcements: NOBODY_ELSE,
      jobs: null,
      sharedNow: null,
      onStatement(listener) {
        client.$on('query', ({ query }) => listener(query));
        lookups.onStatement(listener);
      },
      async close() {
        await client.$disconnect();
        reader.close();
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
