import { badInput, DomainError } from '../../errors.js';
import { Prisma } from './generated/sqlite/client.js';

/** True when a unique constraint refused the write (Prisma P2002). */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/**
 * True when PostgreSQL ended a transaction because it and another one waited for each other, or could not both be
 * (SQLSTATE 40P01, 40001; Prisma P2034). Nothing of it was done, and doing it again may succeed.
 */
export function isWriteConflict(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2034') return true;
  return causeOf(error)?.kind === 'TransactionWriteConflict';
}

/**
 * What a caller can be told about a database that failed: no room, or not available now. Errors that are not the
 * database's (a bug in a query, a domain error thrown inside a transaction) come back as they are.
 */
export function asDomainError(error: unknown): unknown {
  if (!isDatabaseFailure(error)) return error;
  // PostgreSQL's text cannot hold a NUL (character_not_in_repertoire); nothing else that we send is invalid UTF-8.
  if (stateOf(error) === '22021') return textWithNul();
  if (isDiskFull(error)) {
    return new DomainError('STORAGE_FULL', 'The disk of the database (DATABASE_URL) is full.', {
      cause: error,
    });
  }
  return new DomainError('UNAVAILABLE', 'The database is not available now; try again.', { cause: error });
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

/** What the driver adapter said, wherever Prisma has put it. */
function causeOf(error: unknown): DriverCause | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return causeOf(error.meta?.driverAdapterError);
  if (!(error instanceof Error) || error.name !== 'DriverAdapterError') return undefined;
  return typeof error.cause === 'object' && error.cause !== null ? error.cause : undefined;
}
