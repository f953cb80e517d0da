import type { Database } from './open-database.js';
import { openPostgresqlForReading } from './postgresql/open-postgresql.js';
import { openSqliteForReading } from './sqlite/open-sqlite.js';

/** Where a database that is open already can be opened once more; it can be sent to another thread. */
export type ReadingSource =
  | { kind: 'sqlite'; name: string }
  | { kind: 'postgresql'; url: string; poolSize: number; statementLimitMs: number };

/** A database for who only reads. It sees what is committed, as soon as it is, and ends with its thread. */
export type OpenedForReading = Pick<Database, 'db' | 'isShared'>;

export function openForReading(source: ReadingSource): OpenedForReading {
  return source.kind === 'sqlite' ? openSqliteForReading(source.name) : openPostgresqlForReading(source);
}
