import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import { DomainError } from '../../errors.js';
import { textWithNul } from './errors.js';
import type { Lookup } from './types.js';

/** Prepared statements that are kept: lists of values with different lengths are different statements. */
const PREPARED_STATEMENTS = 256;

/** @param reader a separate connection, so that it never sees uncommitted changes of a transaction */
export function lookupInSqlite(reader: DatabaseSyncInstance): Lookup {
  const prepared = new LRUCache<string, { statement: StatementSyncInstance; dates: string[] }>({
    max: PREPARED_STATEMENTS,
  });
  return async <Row>({ sql, values }: Parameters<Lookup>[0]) => {
    try {
      const { statement, dates } = prepare(sql);
      const rows = statement.all(...values.map(toSqlite)) as Array<Record<string, unknown>>;
      for (const row of rows) {
        for (const name of dates) if (typeof row[name] === 'number') row[name] = new Date(row[name]);
      }
      return rows as Row[];
    } catch (error) {
      throw unavailable(error);
    }
  };

  function prepare(sql: string) {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = reader.prepare(sql);
    const dates = statement.columns().flatMap(({ name, type }) => (type === 'DATETIME' ? [name] : []));
    prepared.set(sql, { statement, dates });
    return { statement, dates };
  }
}

export function lookupInPostgresql(pool: pg.Pool): Lookup {
  return async <Row>({ text, values }: Parameters<Lookup>[0]) => {
    try {
      return (await pool.query({ text, values: values.map(toPostgresql), types: TYPES })).rows as Row[];
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === '22021') throw textWithNul();
      throw unavailable(error);
    }
  };
}

/** The same lookup, with listeners for its statements. */
export function observable(lookup: Lookup): {
  lookup: Lookup;
  onStatement(listener: (sql: string) => void): void;
} {
  const listeners: Array<(sql: string) => void> = [];
  return {
    lookup(statement) {
      for (const listener of listeners) listener(statement.sql);
      return lookup(statement);
    },
    onStatement: (listener) => listeners.push(listener),
  };
}

/** Dates are milliseconds since 1970 in SQLite. */
function toSqlite(value: unknown): string | number | null {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === null || typeof value === 'number' ? value : String(value);
}

/** Our columns have no time zone and contain UTC; `pg` would convert them as local time in both directions. */
function toPostgresql(value: unknown): unknown {
  return value instanceof Date ? value.toISOString().slice(0, -1) : value;
}

const TYPES: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === pg.types.builtins.TIMESTAMP) return (text: string) => new Date(`${text.replace(' ', 'T')}Z`);
    if (oid === pg.types.builtins.INT8) return Number;
    return pg.types.getTypeParser(oid, format);
  },
};

function unavailable(error: unknown): DomainError {
  return new DomainError('UNAVAILABLE', 'The database is not available now; try again.', { cause: error });
}
