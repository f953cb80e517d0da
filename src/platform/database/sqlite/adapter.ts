/**
 * Prisma driver adapter for SQLite over `@photostructure/sqlite` (the node:sqlite interface for every supported Node,
 * native code shipped in the package, so nothing is compiled or downloaded at install).
 *
 * Why not Prisma's own adapter: it has one connection, and a query outside a transaction that runs while another
 * caller's transaction is open silently becomes part of that transaction, and is rolled back with it. Here
 * - reads outside transactions have a connection of their own (WAL: they never wait for the writer), and
 * - writes and transactions queue for the writer, one at a time, in order of arrival.
 *
 * Dates are stored as integers, milliseconds since 1970, as Prisma's native SQLite engine did.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import {
  type ArgType,
  type ColumnType,
  ColumnTypeEnum,
  DriverAdapterError,
  type IsolationLevel,
  type MappedError,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQuery,
  type SqlQueryable,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils';
import { LRUCache } from 'lru-cache';

const ADAPTER = { provider: 'sqlite', adapterName: 'coredock-sqlite' } as const;

/** SQLite's own limit for bound values (SQLITE_MAX_VARIABLE_NUMBER) since 3.32. */
const MAX_BOUND_VALUES = 32_766;
const CONNECTION_INFO = { maxBindValues: MAX_BOUND_VALUES, supportsRelationJoins: false };
/** Distinct statements kept prepared for each connection; the program has fewer than a hundred shapes. */
const PREPARED_STATEMENTS = 256;
/** The log goes into the database file when it has so many pages, 16 MB: the more, the more often-changed pages go once. */
const CHECKPOINT_PAGES = 4_000;
/** Another process (`coredock migrate`, a backup) may hold the write lock for a moment. */
const BUSY_TIMEOUT_MS = 5_000;
/** How soon the writer asks again for a lock that another process holds. */
const BUSY_PAUSE_MS = 20;

/** What stands before every write, and hears what became of it. */
export interface WriteGuard {
  /** @throws Error when nothing may be written now: it is told as an error of the database */
  assertMayWrite(): void;
  /** To be called after a commit. @throws Error when what was written is not where it will be looked for */
  assertKept(): void;
  noteError(error: unknown): void;
}

const NO_GUARD: WriteGuard = { assertMayWrite() {}, assertKept() {}, noteError() {} };

/** @param file path of the database file, or ":memory:" (then reads share the writer's connection) */
export function createSqliteAdapterFactory(file: string, guard = NO_GUARD): SqlDriverAdapterFactory {
  return { ...ADAPTER, connect: async () => openSqlite(file, guard) };
}

/** One connection, that reads and writes nothing. @param file as `openConnection` takes it */
export function createSqliteReaderFactory(file: string): SqlDriverAdapterFactory {
  return {
    ...ADAPTER,
    async connect() {
      const reader = new Connection(openToRead(file), NO_GUARD);
      return {
        ...ADAPTER,
        queryRaw: async (query) => reader.query(query),
        // SQLite refuses them: it was told so.
        executeRaw: async (query) => reader.execute(query),
        executeScript: async (script) => reader.script(script),
        async startTransaction() {
          throw new Error('who only reads has no transactions');
        },
        getConnectionInfo: () => CONNECTION_INFO,
        dispose: async () => reader.close(),
      };
    },
  };
}

/**
 * Opens one connection with the settings that every connection of the program has.
 * @param file its path, or a URI
 */
export function openConnection(file: string): DatabaseSyncInstance {
  const connection = new DatabaseSync(file);
  // FULL: a commit is on disk before it is acknowledged, also in WAL mode, where NORMAL would only promise order.
  connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA foreign_keys = ON;`);
  return connection;
}

/** The same for who only reads: SQLite refuses everything else. @param file as above */
export function openToRead(file: string): DatabaseSyncInstance {
  const connection = openConnection(file);
  connection.exec('PRAGMA query_only = ON');
  return connection;
}

function openSqlite(file: string, guard: WriteGuard): SqlDriverAdapter {
  const writer = new Connection(openConnection(file), guard);
  // SQLite would wait for the lock in our only thread, and nobody would be answered meanwhile: `whenNotBusy` waits.
  writer.script('PRAGMA busy_timeout = 0');
  const reader = file === ':memory:' ? writer : new Connection(openConnection(file), guard);
  const writeLock = new Lock();

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

/** For single statements, and the first one of a transaction: where the lock is missing nothing was done. */
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

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY, alone or in the last byte of a more exact one: https://www.sqlite.org/rescode.html
  return error instanceof DriverAdapterError && Number(error.cause.originalCode) % 256 === 5;
}

function beginTransaction(writer: Connection, release: () => void, guard: WriteGuard): Transaction {
  // IMMEDIATE takes the write lock now, where waiting is possible; upgrading a read later would fail at once.
  writer.script('BEGIN IMMEDIATE');
  const queryable: SqlQueryable = {
    ...ADAPTER,
    queryRaw: async (query) => writer.query(query),
    executeRaw: async (query) => writer.execute(query),
  };
  // After a failed COMMIT Prisma may still ask for a rollback, when the writer already serves somebody else.
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
    // "phantom": Prisma calls commit() and rollback() and leaves the statements to us.
    options: { usePhantomQuery: true },
    commit: async () => end('COMMIT'),
    rollback: async () => end('ROLLBACK'),
    createSavepoint: async (name) => writer.script(`SAVEPOINT ${name}`),
    rollbackToSavepoint: async (name) => writer.script(`ROLLBACK TO ${name}`),
    releaseSavepoint: async (name) => writer.script(`RELEASE SAVEPOINT ${name}`),
  };
}

/** One SQLite connection with its prepared statements. */
class Connection {
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
    return this.#told(() => {
      const statement = this.#prepare(sql);
      const values = statement.all(...args.map((arg, index) => toSqlite(arg, argTypes[index])));
      const columns = statement.columns();
      // setReturnArrays(true) makes every row an array, which the types of node:sqlite do not express.
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
    return this.#told(() => {
      const values = args.map((arg, index) => toSqlite(arg, argTypes[index]));
      return Number(this.#prepare(sql).run(...values).changes);
    });
  }

  script(sql: string): void {
    this.#told(() => this.#database.exec(sql));
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #told<T>(work: () => T): T {
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

/** First come, first served; whoever holds it calls the returned function once. */
class Lock {
  #tail: Promise<void> = Promise.resolve();

  async acquire(): Promise<() => void> {
    const before = this.#tail;
    let release = () => {};
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }
}

/** WITH may begin a write as well, and the program writes no such reads; so only SELECT counts as one. */
function isRead(sql: string): boolean {
  return /^\s*(SELECT|PRAGMA)\b/i.test(sql);
}

type SqliteValue = null | number | bigint | string | Uint8Array;

function toSqlite(value: unknown, type: ArgType | undefined): SqliteValue {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  const text = String(value);
  switch (type?.scalarType) {
    case 'int':
    case 'bigint':
      return BigInt(text);
    case 'float':
    case 'decimal':
      return Number(text);
    case 'datetime':
      return new Date(text).getTime();
    case 'bytes':
      return Buffer.from(text, 'base64');
    default:
      return text;
  }
}

function fromSqlite(value: unknown, type: ColumnType | undefined): SqlResultSet['rows'][number][number] {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value;
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (type === ColumnTypeEnum.DateTime) return new Date(number).toISOString();
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  throw new DriverAdapterError({
    kind: 'InconsistentColumnData',
    cause: `a ${typeof value} came out of SQLite`,
  });
}

/** The declared type of the column; a computed column (count, row_number) has none and goes by its first value. */
function columnType(declared: string | null, rows: unknown[][], index: number): ColumnType {
  switch (declared?.toUpperCase()) {
    case 'INTEGER':
    case 'INT':
      return ColumnTypeEnum.Int32;
    case 'BIGINT':
      return ColumnTypeEnum.Int64;
    case 'REAL':
      return ColumnTypeEnum.Double;
    case 'DATETIME':
      return ColumnTypeEnum.DateTime;
    case 'BOOLEAN':
      return ColumnTypeEnum.Boolean;
    case 'TEXT':
      return ColumnTypeEnum.Text;
    case 'BLOB':
      return ColumnTypeEnum.Bytes;
    default:
      return inferredType(rows.find((row) => row[index] !== null)?.[index]);
  }
}

function inferredType(value: unknown): ColumnType {
  if (typeof value === 'string') return ColumnTypeEnum.Text;
  if (value instanceof Uint8Array) return ColumnTypeEnum.Bytes;
  if (typeof value === 'bigint') return ColumnTypeEnum.Int64;
  return ColumnTypeEnum.UnknownNumber;
}

function translated(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const extendedCode = error.errcode ?? resultCodeOf(error.message);
  return new DriverAdapterError({
    ...mapError(extendedCode, error.message),
    originalCode: String(extendedCode),
    originalMessage: error.message,
  });
}

/** What the guard says is told as SQLite would: to whoever asks it is an error of the database. */
function guarded(check: () => void): void {
  try {
    check();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new DriverAdapterError({ kind: 'sqlite', extendedCode: resultCodeOf(message), message });
  }
}

function isSqliteError(error: unknown): error is Error & { errcode?: number } {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

/** Errors of `all()` come without their code in @photostructure/sqlite 1.2; SQLite's texts are fixed, so they tell. */
function resultCodeOf(message: string): number {
  const known = RESULT_CODES.find(([text]) => message.includes(text));
  return known === undefined ? 1 /* SQLITE_ERROR */ : known[1];
}

/** https://www.sqlite.org/rescode.html with the texts of sqlite3_errstr and of the constraint checks */
const RESULT_CODES: ReadonlyArray<readonly [text: string, code: number]> = [
  ['UNIQUE constraint failed', 2067],
  ['NOT NULL constraint failed', 1299],
  ['FOREIGN KEY constraint failed', 787],
  ['database is locked', 5],
  ['attempt to write a readonly database', 8],
  ['disk I/O error', 10],
  ['database disk image is malformed', 11],
  ['database or disk is full', 13],
  ['unable to open database file', 14],
];

function mapError(extendedCode: number, message: string): MappedError {
  // "UNIQUE constraint failed: Device.key, Device.modelId"
  const columns = message.split('constraint failed: ').at(1)?.split(', ') ?? [];
  const fields = columns.map((column) => column.split('.').at(-1) ?? column);
  switch (extendedCode) {
    case 2067: // SQLITE_CONSTRAINT_UNIQUE
    case 1555: // SQLITE_CONSTRAINT_PRIMARYKEY
      return { kind: 'UniqueConstraintViolation', constraint: { fields } };
    case 1299: // SQLITE_CONSTRAINT_NOTNULL
      return { kind: 'NullConstraintViolation', constraint: { fields } };
    case 787: // SQLITE_CONSTRAINT_FOREIGNKEY
      return { kind: 'ForeignKeyConstraintViolation', constraint: { foreignKey: {} } };
    default:
      return { kind: 'sqlite', extendedCode, message };
  }
}
