import type { ChangeLog } from './change-types.js';
import type { Prisma, PrismaClient } from './generated/sqlite/client.js';

/**
 * The client of either database. Both are generated from the same models, and their types differ only in names, so they
 * are cast to this type where they are created. Features of only one database must not be used.
 */
export type Db = PrismaClient & {
  readonly lookup: Lookup;
  /** Whether a subquery may refer to tables on its left (LATERAL), which SQLite does not support. */
  readonly hasLateral: boolean;
  /**
   * Runs writes that must work on a full disk too: deletions, and the audit of downloads. The work may run twice, so
   * everything that it changes must be in the database. SQLite has a disk reserve for it; PostgreSQL just runs it.
   */
  readonly fromReserve: <T>(work: () => Promise<T>) => Promise<T>;
};

/**
 * Rows of one SELECT, like `$queryRaw` but without Prisma's overhead, which is several times the cost of the query
 * itself. For queries of every upload, and for long lists. Numbers are returned as numbers, times as dates.
 *
 * @throws DomainError UNAVAILABLE, BAD_USER_INPUT for text that the database cannot store
 */
export type Lookup = <Row>(sql: Prisma.Sql) => Promise<Row[]>;

/** The client inside `db.$transaction(async (tx) => …)`. */
export type DbTransaction = Prisma.TransactionClient;

export interface Database {
  readonly db: Db;
  /** True when other servers may use the same database, and so the same storage, at the same time. */
  readonly isShared: boolean;
  /**
   * The time for leases, independent of the servers' clocks: PostgreSQL's clock, or with SQLite that of its only
   * server.
   * @throws DomainError UNAVAILABLE
   */
  now(): Promise<Date>;
  /** The queue that servers share; null when one server uses the database alone. */
  readonly jobs: (Jobs & { start(): Promise<void> }) | null;
  /** Migrations that were applied at the opening. */
  readonly migrated: readonly string[];
  /** How another thread opens the database for reading: see `openForReading`. */
  readonly reading: ReadingSource;
  /** A file on the disk of the database; null if the disk is on another machine. */
  readonly disk: string | null;
  /** Rejects with STORAGE_FULL or UNAVAILABLE when it is known that nothing can be written now. */
  assertWritable(): Promise<void>;
  runExclusive: RunExclusive;
  /** How servers on this database notify each other of changes. */
  readonly announcements: Announcements;
  /** What was added, changed and deleted. */
  readonly changes: ChangeLog;
  /** Calls `listener` with the SQL of every statement. For tests and traces. */
  onStatement(listener: (sql: string) => void): void;
  /** Proves that the database answers; rejects with UNAVAILABLE, or with STORAGE_FULL if that is known. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Runs `work` while no other work with the same name runs, on this server or any other on this database. */
export type RunExclusive = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** The parts that each database implements; the rest is the same for both. */
export type OpenedDatabase = Omit<Database, 'check'>;

/** Where an open database can be opened again; it can be sent to another thread. */
export type ReadingSource =
  | { kind: 'sqlite'; name: string }
  | { kind: 'postgresql'; url: string; poolSize: number; statementLimitMs: number };

/** A read-only database. It sees every change as soon as it is committed, and ends with its thread. */
export type OpenedForReading = Pick<Database, 'db' | 'isShared'>;

/** A parse to do. The database gives each job to one server. */
export interface Job {
  /** The id that the database assigned. */
  id: string;
  /** Identifies the parse. */
  key: string;
}

/**
 * A queue in the database that its servers share. Its jobs are hints: the server that takes a job checks the row for
 * work, and rows without a job are found and added again.
 */
export interface Jobs {
  /** Adds jobs within the transaction that requires them. A key that already waits is not added twice. */
  add(tx: DbTransaction, keys: readonly string[]): Promise<void>;
  /** The same, in a transaction of its own. */
  addNow(keys: readonly string[]): Promise<void>;
  /** Takes the oldest jobs: no other server gets them. */
  take(max: number): Promise<Job[]>;
  /** Deletes jobs that were taken, whatever their outcome. */
  forget(jobs: readonly Job[]): Promise<void>;
}

/** Tables whose changes can be announced: each has its own channel. Their key is an integer, `id`. */
export const ANNOUNCED_TABLES = ['Coredump', 'CrashGroup'] as const;
export type AnnouncedTable = (typeof ANNOUNCED_TABLES)[number];

/** How the servers on one database notify each other of changed rows: by ids only. */
export interface Announcements {
  /** Announces within the transaction of the change: other servers are notified if and only if it commits. */
  announce(tx: DbTransaction, table: AnnouncedTable, ids: readonly number[]): Promise<void>;
  /**
   * Follows changes of other servers from the moment at which it resolves, and own changes that were committed without
   * an answer to their COMMIT. After a time without connection, the ids of all rows changed in the meantime follow, own
   * changes included. Call it once.
   *
   * @throws Error with one clear sentence when notifications do not arrive, because of a pooler in front of the
   *   database
   */
  follow(followers: Readonly<Record<AnnouncedTable, Follower>>): Promise<void>;
  /** False while notifications do not arrive. */
  isHearing(): boolean;
}

export interface Follower {
  /** False: there is no subscriber on this server, so nothing needs to be read. */
  isWanted(): boolean;
  /**
   * One call at a time, with some hundred ids at most. It reads the rows of the change or newer ones. When it rejects,
   * the ids are sent again.
   */
  onChanged(ids: readonly number[]): Promise<void>;
}
