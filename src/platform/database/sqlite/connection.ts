import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import type { SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils';
import { LRUCache } from 'lru-cache';
import type { WriteGuard } from './guard.js';
import { translated } from './sqlite-errors.js';
import { columnType, fromSqlite, toSqlite } from './values.js';

/** Prepared statements that each connection keeps; the program has fewer than a hundred different ones. */
const PREPARED_STATEMENTS = 256;
/** Log size in pages that starts a checkpoint: the larger, the fewer times a frequently changed page is written. */
const CHECKPOINT_PAGES = 4_000;
/** Another process (`coredock migrate`, a backup) may hold the write lock for a moment. */
export const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens a connection with the settings of all connections of the program.
 * @param file path or URI
 */
export function openConnection(file: string): DatabaseSyncInstance {
  const connection = new DatabaseSync(file);
  // FULL: a commit is on disk before it is acknowledged, also in WAL mode, where NORMAL only guarantees order.
  connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA foreign_keys = ON;`);
  return connection;
}

/** Opens a read-only connection: SQLite refuses writes. @param file as above */
export function openToRead(file: string): DatabaseSyncInstance {
  const connection = openConnection(file);
  connection.exec('PRAGMA query_only = ON');
  return connection;
}

/** One SQLite connection with its prepared statements. */
export class Connection {
  readonly #database: DatabaseSyncInstance;
  readonly #guard: WriteGuard;
  readonly #statements = new LRUCache<string, StatementSyncInstance>({ max: PREPARED_STATEMENTS });

  constructor(database: DatabaseSyncInstance, guard: WriteGuard) {
    this.#database = database;
    this.#guard = guard;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  query({ sql, args, argTypes }: SqlQuery): SqlResultSet {
    return this.#translating(() => {
      const statement = this.#prepare(sql);
      const values = statement.all(...args.map((arg, index) => toSqlite(arg, argTypes[index])));
      const columns = statement.columns();
      // setReturnArrays(true) returns every row as an array, which the types of node:sqlite do not express.
      const rows = values as unknown as unknown[][];
      const columnTypes = columns.map((column, index) => columnType(column.type ?? null, rows, index));
      return {
        columnNames: columns.map((column) => column.name),
        columnTypes,
        rows: rows.map((row) => row.map((value, index) => fromSqlite(value, columnTypes[index]))),
      };
    });
  }

  execute({ sql, args, argTypes }: SqlQuery): number {
    return this.#translating(() => {
      const values = args.map((arg, index) => toSqlite(arg, argTypes[index]));
      return Number(this.#prepare(sql).run(...values).changes);
    });
  }

  script(sql: string): void {
    this.#translating(() => this.#database.exec(sql));
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #translating<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#guard.noteError(error);
      throw translated(error);
    }
  }

  #prepare(sql: string): StatementSyncInstance {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    statement.setReadBigInts(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}
