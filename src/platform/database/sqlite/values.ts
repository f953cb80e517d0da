import {
  type ArgType,
  type ColumnType,
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils';

type SqliteValue = null | number | bigint | string | Uint8Array;

/** Dates become milliseconds since 1970. */
export function toSqlite(value: unknown, type: ArgType | undefined): SqliteValue {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  const text = String(value);
  switch (type?.scalarType) {
    case 'int':
    case 'bigint':
      return BigInt(text);
    case 'float':
    case 'decimal':
      return Number(text);
    case 'datetime':
      return new Date(text).getTime();
    case 'bytes':
      return Buffer.from(text, 'base64');
    default:
      return text;
  }
}

export function fromSqlite(
  value: unknown,
  type: ColumnType | undefined,
): SqlResultSet['rows'][number][number] {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value;
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (type === ColumnTypeEnum.DateTime) return new Date(number).toISOString();
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  throw new DriverAdapterError({
    kind: 'InconsistentColumnData',
    cause: `a ${typeof value} came out of SQLite`,
  });
}

/** The declared type of the column. A computed column (count, row_number) has none; its first value decides. */
export function columnType(declared: string | null, rows: unknown[][], index: number): ColumnType {
  switch (declared?.toUpperCase()) {
    case 'INTEGER':
    case 'INT':
      return ColumnTypeEnum.Int32;
    case 'BIGINT':
      return ColumnTypeEnum.Int64;
    case 'REAL':
      return ColumnTypeEnum.Double;
    case 'DATETIME':
      return ColumnTypeEnum.DateTime;
    case 'BOOLEAN':
      return ColumnTypeEnum.Boolean;
    case 'TEXT':
      return ColumnTypeEnum.Text;
    case 'BLOB':
      return ColumnTypeEnum.Bytes;
    default:
      return inferredType(rows.find((row) => row[index] !== null)?.[index]);
  }
}

function inferredType(value: unknown): ColumnType {
  if (typeof value === 'string') return ColumnTypeEnum.Text;
  if (value instanceof Uint8Array) return ColumnTypeEnum.Bytes;
  if (typeof value === 'bigint') return ColumnTypeEnum.Int64;
  return ColumnTypeEnum.UnknownNumber;
}
