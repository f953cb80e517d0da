import { DriverAdapterError, type MappedError } from '@prisma/driver-adapter-utils';
import { messageOf } from '../../../errors.js';

/** Converts an error of SQLite to Prisma's form; any other is returned unchanged. */
export function translated(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const extendedCode = error.errcode ?? resultCodeOf(error.message);
  return new DriverAdapterError({
    ...mapError(extendedCode, error.message),
    originalCode: String(extendedCode),
    originalMessage: error.message,
  });
}

/** Throws an error of the guard in SQLite's form: for the caller it is an error of the database. */
export function guarded(check: () => void): void {
  try {
    check();
  } catch (error) {
    const message = messageOf(error);
    throw new DriverAdapterError({ kind: 'sqlite', extendedCode: resultCodeOf(message), message });
  }
}

function isSqliteError(error: unknown): error is Error & { errcode?: number } {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

/**
 * Errors of `all()` have no code in @photostructure/sqlite 1.2; SQLite's texts are fixed, so they identify the error.
 */
function resultCodeOf(message: string): number {
  const known = RESULT_CODES.find(([text]) => message.includes(text));
  return known === undefined ? 1 /* SQLITE_ERROR */ : known[1];
}

/** https://www.sqlite.org/rescode.html with the texts of sqlite3_errstr and of the constraint checks */
const RESULT_CODES: ReadonlyArray<readonly [text: string, code: number]> = [
  ['UNIQUE constraint failed', 2067],
  ['NOT NULL constraint failed', 1299],
  ['FOREIGN KEY constraint failed', 787],
  ['database is locked', 5],
  ['attempt to write a readonly database', 8],
  ['disk I/O error', 10],
  ['database disk image is malformed', 11],
  ['database or disk is full', 13],
  ['unable to open database file', 14],
];

function mapError(extendedCode: number, message: string): MappedError {
  // "UNIQUE constraint failed: Device.key, Device.modelId"
  const columns = message.split('constraint failed: ').at(1)?.split(', ') ?? [];
  const fields = columns.map((column) => column.split('.').at(-1) ?? column);
  switch (extendedCode) {
    case 2067: // SQLITE_CONSTRAINT_UNIQUE
    case 1555: // SQLITE_CONSTRAINT_PRIMARYKEY
      return { kind: 'UniqueConstraintViolation', constraint: { fields } };
    case 1299: // SQLITE_CONSTRAINT_NOTNULL
      return { kind: 'NullConstraintViolation', constraint: { fields } };
    case 787: // SQLITE_CONSTRAINT_FOREIGNKEY
      return { kind: 'ForeignKeyConstraintViolation', constraint: { foreignKey: {} } };
    default:
      return { kind: 'sqlite', extendedCode, message };
  }
}

/** Another process holds the lock. */
export function isBusy(error: unknown): boolean {
  // SQLITE_BUSY, alone or in the last byte of a more exact one: https://www.sqlite.org/rescode.html
  return error instanceof DriverAdapterError && Number(error.cause.originalCode) % 256 === 5;
}
