import { DomainError } from '../../errors.js';
import type { Logger } from '../logger.js';
import { openPostgresql } from './postgresql/open-postgresql.js';
import { openSqlite } from './sqlite/open-sqlite.js';
import type { Database, OpenedDatabase } from './types.js';

/** Connections that a server holds at most by default: `pg`'s own default. */
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
 * @param options.log is told of trouble that passes by itself
 * @param options.stop gives up opening it
 * @param options.now the server's clock, which is the database's too where no other server may use it
 * @throws Error with one clear sentence: cannot be reached or written, in use by another server, of a newer version
 */
export async function openDatabase(
  url: string,
  {
    poolSize = POOL_SIZE,
    statementLimitMs = STATEMENT_LIMIT_MS,
    log,
    stop,
    now = () => new Date(),
  }: {
    poolSize?: number;
    statementLimitMs?: number;
    log?: Logger;
    stop?: AbortSignal | undefined;
    now?: () => Date;
  } = {},
): Promise<Database> {
  const opened = url.startsWith('file:')
    ? await openSqlite(url.slice('file:'.length), { log, now })
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
