import { badInput, DomainError } from '../../errors.js';
import { Prisma } from './generated/sqlite/client.js';

/** True when a unique constraint refused the write (Prisma P2002). */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/**
 * What a transaction read before it had locked anything is not so any more under its locks. It is done again, from what
 * is so now.
 */
export class StaleRead extends Error {
  override readonly name = 'StaleRead';
}

/**
 * True when a transaction may succeed if it is done again, and nothing of it was done: PostgreSQL ended it because it
 * and another one waited for each other, or could not both be (SQLSTATE 40P01, 40001; Prisma P2034); or what it refers
 * to has gone since it looked, which its next look will see.
 */
export function isWriteConflict(error: unknown): boolean {
  if (error instanceof StaleRead || isForeignKeyViolation(error)) return true;
  return codeOf(error) === 'P2034' || causeOf(error)?.kind === 'TransactionWriteConflict';
}

/** True when a row that another one refers to is not there (any more). */
function isForeignKeyViolation(error: unknown): boolean {
  return codeOf(error) === 'P2003' || causeOf(error)?.kind === 'ForeignKeyConstraintViolation';
}

/**
 * The error that a caller gets for a database that failed or refused: full, not available now, or what is wrong with the
 * request. Errors that are not the database's (a bug in a query, a domain error thrown inside a
 * transaction) come back as they are.
 */
export function asDomainError(error: unknown): unknown {
  if (error instanceof StaleRead) return contended(error);
  if (!isDatabaseFailure(error)) return error;
  // PostgreSQL's text cannot hold a NUL (character_not_in_repertoire); nothing else that we send is invalid UTF-8.
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

/** A database that is there and says no. Undefined: it is another trouble. @returns `error` itself where it is a bug */
function refusalOf(error: Error): unknown {
  if (isForeignKeyViolation(error)) {
    return new DomainError(
      'CONFLICT',
      'Something that this refers to was deleted or replaced meanwhile: look again, and repeat what still makes sense.',
      { cause: error },
    );
  }
  if (isWriteConflict(error)) return contended(error);
  const [code, kind] = [codeOf(error), causeOf(error)?.kind];
  // Prisma's update and delete of one row.
  if (code === 'P2025') {
    return new DomainError('NOT_FOUND', 'What was to be changed is not there any more.', { cause: error });
  }
  if (code === 'P2000' || code === 'P2020' || kind === 'ValueOutOfRange' || kind === 'LengthMismatch') {
    return new DomainError('BAD_USER_INPUT', 'A value is larger than what the database can hold.', {
      cause: error,
    });
  }
  const isBug = kind === 'NullConstraintViolation' || kind === 'InvalidInputValue';
  return isBug ? error : undefined;
}

/** After all attempts of `inTransaction`. */
function contended(error: Error): DomainError {
  return new DomainError(
    'BUSY',
    'Others have changed the same at the same moment, again and again; nothing was done. Try again.',
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

/** SQLITE_FULL's text (the write-ahead log could not grow), and PostgreSQL's disk_full with its usual text. */
function isDiskFull(error: Error): boolean {
  if (stateOf(error) === '53100') return true;
  return /database or disk is full|No space left on device/.test(error.message);
}

/** `pg`'s own errors, which neither carry a code of the database nor are wrapped by Prisma. */
function isConnectionFailure(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/.test(
      error.message,
    ) ||
    (error instanceof AggregateError && error.errors.some(isRefusedConnection))
  );
}

/** A name with several addresses ("localhost") of which none answers. */
function isRefusedConnection(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'connect';
}

interface DriverCause {
  kind?: unknown;
  originalCode?: unknown;
}

/** SQLSTATE, where PostgreSQL gave one. */
function stateOf(error: Error): unknown {
  return causeOf(error)?.originalCode;
}

/** Prisma's code. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Prisma.PrismaClientKnownRequestError ? error.code : undefined;
}

/** What the driver adapter said, wherever Prisma has put it. */
function causeOf(error: unknown): DriverCause | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return causeOf(error.meta?.driverAdapterError);
  if (!(error instanceof Error) || error.name !== 'DriverAdapterError') return undefined;
  return typeof error.cause === 'object' && error.cause !== null ? error.cause : undefined;
}
