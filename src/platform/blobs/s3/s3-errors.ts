import { DomainError } from '../../../errors.js';
import { isSystemError } from '../../files/system-errors.js';
import { asStorageError } from '../storage-errors.js';

/** The fields of S3 client errors that are used here, whatever their class. */
interface Answered {
  name: string;
  message: string;
  $metadata?: { httpStatusCode?: number | undefined };
}

/**
 * Maps a failed call to S3 to the error for callers: storage full, or not available now. Names of buckets and hosts
 * stay in the cause, for the log. A bug is returned unchanged.
 */
export function asS3Error(error: unknown): unknown {
  if (error instanceof DomainError || !isFromS3(error)) return asStorageError(error);
  // The whole exchange, with sockets and signed headers: it must not be logged.
  Reflect.deleteProperty(error, '$response');
  if (isFull(error)) return new DomainError('STORAGE_FULL', 'The storage is full.', { cause: error });
  return new DomainError('UNAVAILABLE', 'The storage is not available now; try again.', { cause: error });
}

/** One sentence for the operator: the server's message, or why there was no response. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof DomainError ? error.cause : error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'TimeoutError') return 'no answer in time';
  const text = cause.message.split('\n', 1)[0] ?? '';
  return statusOf(cause) === undefined || text.includes(cause.name) ? text : `${cause.name}: ${text}`;
}

/** Whether a retry may succeed. */
export function isPassing(error: unknown): boolean {
  if (isSystemError(error) && error.syscall !== 'connect' && error.code === 'ENOENT') return false;
  const status = statusOf(error);
  if (status === undefined) return isFromS3(error) && !isNamed(error, 'CredentialsProviderError');
  if (isFull(error)) return false;
  return status >= 500 || status === 429 || isNamed(error, ...PASSING);
}

/** 412: an object with this key exists, and the call was to create a new one only. */
export function isTaken(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** 404 for the object. A missing bucket says nothing about its objects. */
export function isMissingObject(error: unknown): boolean {
  return statusOf(error) === 404 && !isNamed(error, 'NoSuchBucket');
}

/** The server does not support the header `If-None-Match` (RFC 9110): older S3 servers do not. */
export function isUnsupported(error: unknown): boolean {
  return statusOf(error) === 501 || isNamed(error, 'NotImplemented', 'InvalidArgument', 'InvalidRequest');
}

/** An empty object has no first byte. */
export function isOutOfRange(error: unknown): boolean {
  return statusOf(error) === 416;
}

/** Codes below 500 that allow a retry: a concurrent write of the same key, or a clock skew that the client corrects. */
const PASSING = ['ConditionalRequestConflict', 'OperationAborted', 'RequestTimeTooSkewed', 'RequestTimeout'];

/** MinIO, Ceph and others have quotas and disks that fill up; AWS does not. */
const FULL = ['XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'QuotaExceeded', 'InsufficientStorage'];

function isFull(error: unknown): boolean {
  return statusOf(error) === 507 || isNamed(error, ...FULL);
}

function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

function statusOf(error: unknown): number | undefined {
  return isFromS3(error) ? error.$metadata?.httpStatusCode : undefined;
}

/** The server's response, a broken connection, or a time-out: everything that is not a bug. */
function isFromS3(error: unknown): error is Error & Answered {
  if (!(error instanceof Error)) return false;
  if ('$metadata' in error || '$response' in error) return true;
  if (isNamed(error, 'TimeoutError', 'AbortError', 'CredentialsProviderError')) return true;
  // Node's socket errors have a code (ECONNRESET), and a system call only if one failed.
  return 'code' in error && /^E[A-Z]+$/.test(String(error.code)) && !isFileError(error);
}

function isFileError(error: Error): boolean {
  return isSystemError(error) && error.path !== undefined;
}
