import { badInput, DomainError } from '../../errors.js';
import { Prisma } from './generated/sqlite/client.js';

/** True when a unique constraint refused a write (Prisma P2002). */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/**
 * Thrown when a value that a transaction read before it took its locks has changed. The transaction is repeated with
 * the current value.
 */
export class StaleRead extends Error {
  override readonly name = 'StaleRead';
}

/**
 * True when nothing of a transaction was done and it may succeed if repeated: PostgreSQL ended it because of a deadlock
 * or a serialization failure (SQLSTATE 40P01, 40001; Prisma P2034), or a row that it refers to was deleted, which the
 * next attempt will see.
 */
export function isWriteConflict(error: unknown): boolean {
  if (error instanceof StaleRead || isForeignKeyViolation(error)) return true;
  return codeOf(error) === 'P2034' || causeOf(error)?.kind === 'TransactionWriteConflict';
}

/** True when a referenced row does not exist. */
function isForeignKeyViolation(error: unknown): boolean {
  return codeOf(error) === 'P2003' || causeOf(error)?.kind === 'ForeignKeyConstraintViolation';
}

/**
 * Maps a database error to the error for callers: full, not available now, or an invalid request. Other errors (a bug
 * in a query, a domain error thrown inside a transaction) are returned unchanged.
 */
export function asDomainError(error: unknown): unknown {
  if (error instanceof StaleRead) return contended(error);
  if (!isDatabaseFailure(error)) return error;
  // PostgreSQL's text cannot contain NUL (character_not_in_repertoire); nothing else that we send is invalid UTF-8.
  if (stateOf(error) === '22021') return textWithNul();
  if (isDiskFull(error)) {
    return new DomainError('STORAGE_FULL', 'The disk of the database (DATABASE_URL) is full.', {
      cause: error,
    });
  }
  const refused = refusalOf(error);
  if (refused !== undefined) return refused;
  return new DomainError('UNAVAILABLE', 'The database is not available now; try again.', { cause: error });
}

/**
 * For a database that answered with a refusal. Undefined for any other problem. @returns `error` itself if it is a bug
 */
function refusalOf(error: Error): unknown {
  if (isForeignKeyViolation(error)) {
    return new DomainError(
      'CONFLICT',
      'An object that this request refers to was deleted or replaced in the meantime: reload, and repeat the request if it still makes sense.',
      { cause: error },
    );
  }
  if (isWriteConflict(error)) return contended(error);
  const [code, kind] = [codeOf(error), causeOf(error)?.kind];
  // Prisma's update and delete of one row.
  if (code === 'P2025') {
    return new DomainError('NOT_FOUND', 'The object to change does not exist any more.', { cause: error });
  }
  if (code === 'P2000' || code === 'P2020' || kind === 'ValueOutOfRange' || kind === 'LengthMismatch') {
    return new DomainError('BAD_USER_INPUT', 'A value is larger than what the database can hold.', {
      cause: error,
    });
  }
  const isBug = kind === 'NullConstraintViolation' || kind === 'InvalidInputValue';
  return isBug ? error : undefined;
}

/** For a transaction that failed after all attempts of `inTransaction`. */
function contended(error: Error): DomainError {
  return new DomainError(
    'BUSY',
    'Other requests keep changing the same data at the same time; nothing was changed. Try again.',
    { cause: error },
  );
}

export function textWithNul(): DomainError {
  return badInput('Text must not contain a NUL character.');
}

function isDatabaseFailure(error: unknown): error is Error {
  return (
    error instanceof Prisma.PrismaClientUnknownRequestError ||
    error instanceof Prisma.PrismaClientInitializationError ||
    error instanceof Prisma.PrismaClientRustPanicError ||
    (error instanceof Prisma.PrismaClientKnownRequestError && !isUniqueViolation(error)) ||
    (error instanceof Error && error.name === 'DriverAdapterError') ||
    isConnectionFailure(error)
  );
}

/** The text of SQLITE_FULL (the write-ahead log could not grow), and of PostgreSQL's disk_full. */
function isDiskFull(error: Error): boolean {
  if (stateOf(error) === '53100') return true;
  return /database or disk is full|No space left on device/.test(error.message);
}

/** `pg`'s own errors, which have no code of the database and are not wrapped by Prisma. */
function isConnectionFailure(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/.test(
      error.message,
    ) ||
    (error instanceof AggregateError && error.errors.some(isRefusedConnection))
  );
}

/** A host name with several addresses ("localhost"), none of which accepts the connection. */
function isRefusedConnection(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'connect';
}

interface DriverCause {
  kind?: unknown;
  originalCode?: unknown;
}

/** SQLSTATE, if PostgreSQL sent one. */
function stateOf(error: Error): unknown {
  return causeOf(error)?.originalCode;
}

/** Prisma's code. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Prisma.PrismaClientKnownRequestError ? error.code : undefined;
}

/** The driver adapter's error, wherever Prisma has stored it. */
function causeOf(error: unknown): DriverCause | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return causeOf(error.meta?.driverAdapterError);
  if (!(error instanceof Error) || error.name !== 'DriverAdapterError') return undefined;
  return typeof error.cause === 'object' && error.cause !== null ? error.cause : undefined;
}
