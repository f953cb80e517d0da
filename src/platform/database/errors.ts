import { DomainError } from '../../errors.js';
import { Prisma } from './generated/sqlite/client.js';

/** True when a unique constraint refused the write (Prisma P2002). */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/**
 * What a caller can be told about a database that failed: no room, or not available now. Errors that are not the
 * database's (a bug in a query, a domain error thrown inside a transaction) come back as they are.
 */
export function asDomainError(error: unknown): unknown {
  if (!isDatabaseFailure(error)) return error;
  // SQLITE_FULL's text; the write-ahead log could not grow.
  if (error.message.includes('database or disk is full')) {
    return new DomainError('STORAGE_FULL', 'The disk of the database is full.', { cause: error });
  }
  return new DomainError('UNAVAILABLE', 'The database is not available now; try again.', { cause: error });
}

function isDatabaseFailure(error: unknown): error is Error {
  return (
    error instanceof Prisma.PrismaClientUnknownRequestError ||
    error instanceof Prisma.PrismaClientInitializationError ||
    error instanceof Prisma.PrismaClientRustPanicError ||
    (error instanceof Prisma.PrismaClientKnownRequestError && !isUniqueViolation(error)) ||
    (error instanceof Error && error.name === 'DriverAdapterError')
  );
}
