import { PothosValidationError } from '@pothos/core';
import { GraphQLError } from 'graphql';
import { DomainError, type DomainErrorCode } from '../../errors.js';
import { asDomainError } from '../../platform/database/errors.js';
import type { Logger } from '../../platform/logger.js';

/** All codes that clients can receive. */
type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'NOT_FOUND'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'CONFLICT'
  | 'PERSISTED_QUERY_NOT_FOUND'
  | 'PERSISTED_QUERY_NOT_SUPPORTED'
  | 'PARSER_NOT_CONFIGURED'
  | 'QUERY_TOO_COMPLEX'
  | 'RATE_LIMITED'
  | 'INTERNAL_SERVER_ERROR';

/** The one place where domain codes become `extensions.code`. */
const CODES: Record<DomainErrorCode, ErrorCode> = {
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  BODY_ABORTED: 'BAD_USER_INPUT',
  BODY_STALLED: 'BAD_USER_INPUT',
  UNSUPPORTED_MEDIA_TYPE: 'BAD_USER_INPUT',
  TOO_LARGE: 'BAD_USER_INPUT',
  NOT_FOUND: 'NOT_FOUND',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  FORBIDDEN: 'FORBIDDEN',
  CONFLICT: 'CONFLICT',
  GONE: 'CONFLICT',
  PARSER_NOT_CONFIGURED: 'PARSER_NOT_CONFIGURED',
  RATE_LIMITED: 'RATE_LIMITED',
  BUSY: 'RATE_LIMITED',
  UNAVAILABLE: 'INTERNAL_SERVER_ERROR',
  STORAGE_FULL: 'INTERNAL_SERVER_ERROR',
};

/** Codes that the GraphQL server gives to request errors, because graphql has none. */
export const OWN_CODES: readonly ErrorCode[] = [
  'QUERY_TOO_COMPLEX',
  'FORBIDDEN',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
];

const MAX_MESSAGE_LENGTH = 1_000;

/** Returns what a client may see of an error. Unexpected errors are logged under the request id and masked. */
export function createErrorMask(log: Logger) {
  return function mask(thrown: unknown, requestId: string): GraphQLError {
    const located = thrown instanceof GraphQLError ? thrown : null;
    const original = asDomainError(originOf(thrown));
    const place = {
      nodes: located?.nodes ?? null,
      source: located?.source ?? null,
      positions: located?.positions ?? null,
      path: located?.path ?? null,
    };

    if (original instanceof DomainError) {
      const code = CODES[original.code];
      if (code === 'INTERNAL_SERVER_ERROR')
        log.error({ err: original, requestId }, 'GraphQL operation failed');
      const { field } = original;
      const extensions = {
        code,
        ...(field === undefined ? {} : { field }),
        ...(code === 'INTERNAL_SERVER_ERROR' ? { requestId } : {}),
      };
      return new GraphQLError(original.message, { ...place, extensions });
    }
    // Syntax, validation and coercion errors come from graphql and describe the client's own document.
    if (original instanceof GraphQLError || original instanceof PothosValidationError) {
      const known = original instanceof GraphQLError ? original.extensions : {};
      const code = OWN_CODES.find((own) => own === known.code) ?? 'BAD_USER_INPUT';
      return new GraphQLError(clip(original.message), {
        ...place,
        // `field` and the status were added around the error of a scalar.
        extensions: { ...located?.extensions, ...known, code },
      });
    }
    if (isOfUpload(original)) {
      return new GraphQLError(original.message, {
        ...place,
        extensions: { code: 'BAD_USER_INPUT' satisfies ErrorCode },
      });
    }
    log.error({ err: original, requestId }, 'GraphQL operation failed');
    return new GraphQLError('Unexpected error.', {
      ...place,
      extensions: { code: 'INTERNAL_SERVER_ERROR' satisfies ErrorCode, requestId },
    });
  };
}

/** graphql repeats names and values of the document in full in its errors. */
function clip(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}…`;
}

/** graphql-upload-minimal's HttpError, which it does not export: the client's multipart request is wrong. */
function isOfUpload(error: unknown): error is Error {
  return error instanceof Error && 'expose' in error && error.expose === true;
}

/** The thrown error: graphql wraps it once for every level that it passes. */
export function originOf(thrown: unknown): unknown {
  let error = thrown;
  while (error instanceof GraphQLError && error.originalError !== undefined) error = error.originalError;
  return error;
}
