import type { ServerResponse } from 'node:http';
import { DomainError, type DomainErrorCode } from '../errors.js';
import { asDomainError } from '../platform/database/errors.js';
import { RETRY_AFTER_SECONDS, sendJson } from '../platform/http/send-json.js';
import type { Logger } from '../platform/logger.js';

/** The one place where domain codes become statuses. */
const STATUS: Record<DomainErrorCode, number> = {
  BAD_USER_INPUT: 400,
  BODY_ABORTED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BODY_STALLED: 408,
  CONFLICT: 409,
  GONE: 410,
  TOO_LARGE: 413,
  RATE_LIMITED: 429,
  PARSER_NOT_CONFIGURED: 503,
  BUSY: 503,
  UNAVAILABLE: 503,
  STORAGE_FULL: 507,
};

/** Answers with `{"error":{"code","message"}}`. Errors that are not domain errors are logged and masked. */
export function sendError(
  response: ServerResponse,
  thrown: unknown,
  log: Logger,
  options?: Parameters<typeof sendJson>[3],
): DomainErrorCode | 'INTERNAL_SERVER_ERROR' {
  const error = asDomainError(thrown);
  if (!(error instanceof DomainError)) {
    log.error({ err: error }, 'request failed');
    sendJson(
      response,
      500,
      errorBody('INTERNAL_SERVER_ERROR', 'Unexpected error; the log has it under this request id.'),
      options,
    );
    return 'INTERNAL_SERVER_ERROR';
  }
  const status = STATUS[error.code];
  // Not logged: when many requests are refused at once each line adds load; a full disk is logged once elsewhere.
  if (status >= 500 && error.code !== 'BUSY' && error.code !== 'STORAGE_FULL')
    log.error({ err: error }, 'request failed');
  if (status === 503 || status === 429) {
    response.setHeader('Retry-After', error.retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  }
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  sendJson(response, status, errorBody(error.code, error.message), options);
  return error.code;
}

export function errorBody(code: string, message: string) {
  return { error: { code, message } };
}
