import type { OpenedForReading, ReadingSource } from './types.js';

/** Opens another connection to a database, for reading. @throws Error when the file or server of `source` is gone */
export async function openForReading(source: ReadingSource): Promise<OpenedForReading> {
  if (source.kind === 'sqlite') {
    const { openSqliteForReading } = await import('./sqlite/open-sqlite.js');
    return openSqliteForReading(source.name);
  }
  const { openPostgresqlForReading } = await import('./postgresql/open-postgresql.js');
  return openPostgresqlForReading(source);
}
