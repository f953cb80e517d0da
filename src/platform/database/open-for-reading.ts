import { openPostgresqlForReading } from './postgresql/open-postgresql.js';
import { openSqliteForReading } from './sqlite/open-sqlite.js';
import type { OpenedForReading, ReadingSource } from './types.js';

/** Opens another connection to a database, for reading. @throws Error when the file or server of `source` is gone */
export function openForReading(source: ReadingSource): OpenedForReading {
  return source.kind === 'sqlite' ? openSqliteForReading(source.name) : openPostgresqlForReading(source);
}
