import { DomainError } from '../../errors.js';
import type { Logger } from '../logger.js';
import type { Announcements } from './announcements.js';
import { Prisma, type PrismaClient } from './generated/sqlite/client.js';
import type { Jobs } from './jobs.js';
import type { ReadingSource } from './open-for-reading.js';
import { openPostgresql } from './postgresql/open-postgresql.js';
import { openSqlite } from './sqlite/open-sqlite.js';

export { Prisma };
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
   * it changes must be in the database. SQLite has room set aside for it; with PostgreSQL it is run as it is.
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
  /** The time that all its servers agree on, whatever their own clocks say; null where there is only one server. */
  readonly sharedNow: (() => Promise<Date>) | null;
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
  /** Runs `work` while no other work of the same name runs, in this server or in any other on this database. */
  inTurn: InTurn;
  /** Tells other servers on this database what has changed, and hears it of them. */
  readonly announcements: Announcements;
  /** Calls `listener` with the SQL of every statement. For tests and traces. */
  onStatement(listener: (sql: string) => void): void;
  /** Proves that the database answers; rejects with UNAVAILABLE, or STORAGE_FULL where that is known. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export type InTurn = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** What each database brings along; the rest is the same for both. */
export type OpenedDatabase = Omit<Database, 'check'>;

/** Connections that a server holds at most unless told otherwise: `pg`'s own default. */
const POOL_SIZE = 10;
/** As a transaction's own limit. */
const STATEMENT_LIMIT_MS = 30_000;

/**
 * Opens and migrates the database of `url`.
 *
 * @param url `file:PATH` for SQLite, `postgresql://…` for PostgreSQL
 * @param options.poolSize connections to PostgreSQL at most, beside one that listens: half of them are for whoever opens
 *   `reading`; SQLite has no use for it
 * @param options.statementLimitMs how long PostgreSQL may take for a statement before its connection is given up
 * @param options.log hears of trouble that passes by itself
 * @param options.stop gives up opening it
 * @throws Error with one clear sentence: cannot be reached or written, in use by another server, of a newer version
 */
export async function openDatabase(
  url: string,
  {
    poolSize = POOL_SIZE,
    statementLimitMs = STATEMENT_LIMIT_MS,
    log,
    stop,
  }: { poolSize?: number; statementLimitMs?: number; log?: Logger; stop?: AbortSignal | undefined } = {},
): Promise<Database> {
  const opened = url.startsWith('file:')
    ? await openSqlite(url.slice('file:'.length), { log })
    : await openPostgresql(url, { poolSize, statementLimitMs, log, stop });
  return { ...opened, check: () => checkDatabase(opened) };
}

async function checkDatabase({ db, assertWritable }: OpenedDatabase): Promise<void> {
  await assertWritable();
  try {
    await db.$queryRaw`SELECT 1`;
  } catch (error) {
    throw new DomainError('UNAVAILABLE', 'The database does not answer.', { cause: error });
  }
}
