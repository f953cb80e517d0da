import { openPostgresqlForReading } from './postgresql/open-postgresql.js';
import { openSqliteForReading } from './sqlite/open-sqlite.js';
import type { OpenedForReading, ReadingSource } from './types.js';

/** Opens a database once more, to read. @throws Error when the file or server of `source` is gone */
export function openForReading(source: ReadingSource): OpenedForReading {
  return source.kind === 'sqlite' ? openSqliteForReading(source.name) : openPostgresqlForReading(source);
}
