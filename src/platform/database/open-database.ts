import { DomainError } from '../../errors.js';
import type { Logger } from '../logger.js';
import type { openPostgresql } from './postgresql/open-postgresql.js';
import type { openSqlite } from './sqlite/open-sqlite.js';
import type { Database, OpenedDatabase } from './types.js';

/** Default for the connections of a server: `pg`'s own default. */
const POOL_SIZE = 10;
/** The same limit as for transactions. */
const STATEMENT_LIMIT_MS = 30_000;

/**
 * Opens and migrates the database of `url`.
 *
 * @param url `file:PATH` for SQLite, `postgresql://…` for PostgreSQL
 * @param options.poolSize most connections to PostgreSQL, without the one that listens; half of them are for readers
 *   that open `reading`. SQLite ignores it
 * @param options.statementLimitMs time limit of a PostgreSQL statement; beyond it its connection is ended
 * @param options.log gets problems that pass by themselves
 * @param options.stop abandons the opening
 * @param options.now the server's clock, which is also the database's if no other server can use it
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
    ? await openFile(url.slice('file:'.length), { log, now })
    : await openServer(url, { poolSize, statementLimitMs, log, stop });
  return { ...opened, check: () => checkDatabase(opened) };
}

// Imported when needed: an installation uses one of the two, and each has much code of its own.

async function openFile(...parameters: Parameters<typeof openSqlite>): Promise<OpenedDatabase> {
  const sqlite = await import('./sqlite/open-sqlite.js');
  return sqlite.openSqlite(...parameters);
}

async function openServer(...parameters: Parameters<typeof openPostgresql>): Promise<OpenedDatabase> {
  const postgresql = await import('./postgresql/open-postgresql.js');
  return postgresql.openPostgresql(...parameters);
}

async function checkDatabase({ db, assertWritable }: OpenedDatabase): Promise<void> {
  await assertWritable();
  try {
    await db.$queryRaw`SELECT 1`;
  } catch (error) {
    throw new DomainError('UNAVAILABLE', 'The database does not answer.', { cause: error });
  }
}
