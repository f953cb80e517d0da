import type { Prisma, PrismaClient } from './generated/sqlite/client.js';

/**
 * The client of either database: both are generated from the same models, and their types, which differ in name only,
 * are cast to this one where they are made. What only one of the databases has must not be used with it.
 */
export type Db = PrismaClient & {
  readonly lookup: Lookup;
  /** Whether a subquery may refer to what stands left of it (LATERAL), which SQLite's cannot. */
  readonly hasLateral: boolean;
  /**
   * Runs what must work on a full disk too: deletions, and the audit of downloads. It may run twice, so everything that
   * it changes must be in the database. SQLite has a disk reserve for it; with PostgreSQL it just runs.
   */
  readonly fromReserve: <T>(work: () => Promise<T>) => Promise<T>;
};

/**
 * Rows of one SELECT like `$queryRaw`'s, without Prisma's way around it, which costs several times what the database
 * does: for what every upload asks, and for long lists. Numbers come as numbers, and times as dates.
 *
 * @throws DomainError UNAVAILABLE, BAD_USER_INPUT for text that the database cannot hold
 */
export type Lookup = <Row>(sql: Prisma.Sql) => Promise<Row[]>;

/** What runs inside `db.$transaction(async (tx) => …)`. */
export type DbTransaction = Prisma.TransactionClient;

export interface Database {
  readonly db: Db;
  /** True when other servers may work with the same database, and so with the same storage, at the same time. */
  readonly isShared: boolean;
  /**
   * The time by which leases run, whatever the clocks of its servers say: PostgreSQL's own; with SQLite, which has one
   * server, that server's. @throws DomainError UNAVAILABLE
   */
  now(): Promise<Date>;
  /** The queue that its servers share; null where one server has the database for itself. */
  readonly jobs: (Jobs & { start(): Promise<void> }) | null;
  /** Migrations that were applied when it was opened. */
  readonly migrated: readonly string[];
  /** How another thread opens it, to read: `openForReading`. */
  readonly reading: ReadingSource;
  /** A file on the disk that it fills; null where that is another machine's business. */
  readonly disk: string | null;
  /** Rejects with STORAGE_FULL or UNAVAILABLE when it is known that nothing can be written now. */
  assertWritable(): Promise<void>;
  runExclusive: RunExclusive;
  /** How servers on this database notify each other of changes. */
  readonly announcements: Announcements;
  /** Calls `listener` with the SQL of every statement. For tests and traces. */
  onStatement(listener: (sql: string) => void): void;
  /** Proves that the database answers; rejects with UNAVAILABLE, or STORAGE_FULL where that is known. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Runs `work` while no other work of the same name runs, in this server or in any other on this database. */
export type RunExclusive = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** What each database brings along; the rest is the same for both. */
export type OpenedDatabase = Omit<Database, 'check'>;

/** Where a database that is open already can be opened once more; it can be sent to another thread. */
export type ReadingSource =
  | { kind: 'sqlite'; name: string }
  | { kind: 'postgresql'; url: string; poolSize: number; statementLimitMs: number };

/** A database to read from. It sees what is committed, as soon as it is, and ends with its thread. */
export type OpenedForReading = Pick<Database, 'db' | 'isShared'>;

/** A parse to be done. The database gives each job to one server. */
export interface Job {
  /** The id that the database gave it. */
  id: string;
  /** Whose parse it is. */
  key: string;
}

/**
 * A queue that lives in the database and is shared by its servers. What it hands out is a hint: who takes a job up
 * looks in the row whether there is something to do, and what was forgotten is found there and added again.
 */
export interface Jobs {
  /** Part of the transaction that makes it necessary. A key that waits already is not added twice. */
  add(tx: DbTransaction, keys: readonly string[]): Promise<void>;
  /** The same, of its own. */
  addNow(keys: readonly string[]): Promise<void>;
  /** Takes up the oldest ones: nobody else gets them. */
  take(max: number): Promise<Job[]>;
  /** Forgets jobs that were taken up, whatever came of them. */
  forget(jobs: readonly Job[]): Promise<void>;
}

/** Tables whose changes can be announced: each has a channel of its own. Their key is a whole number, `id`. */
export const ANNOUNCED_TABLES = ['Coredump', 'CrashGroup'] as const;
export type AnnouncedTable = (typeof ANNOUNCED_TABLES)[number];

/** How the servers on one database notify each other of changed rows: by their ids, nothing else. */
export interface Announcements {
  /** Part of the transaction that makes the change: the others are notified if it commits, and only then. */
  announce(tx: DbTransaction, table: AnnouncedTable, ids: readonly number[]): Promise<void>;
  /**
   * Follows the changes of other servers from the moment at which it resolves, and own ones whose COMMIT was done but not
   * answered. After a time without connection the ids of all rows that were changed meanwhile come, own changes among
   * them. To be called once.
   *
   * @throws Error with one clear sentence when notifications do not arrive: a pooler stands before the database
   */
  follow(followers: Readonly<Record<AnnouncedTable, Follower>>): Promise<void>;
  /** False while notifications do not arrive. */
  isHearing(): boolean;
}

export interface Follower {
  /** False: nobody here subscribes, so nothing needs to be read. */
  isWanted(): boolean;
  /** One call at a time, some hundred ids at most. What it reads is as new as the change. When it rejects they come again. */
  onChanged(ids: readonly number[]): Promise<void>;
}
