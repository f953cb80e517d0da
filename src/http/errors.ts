import type { ServerResponse } from 'node:http';
import { DomainError, type DomainErrorCode } from '../errors.js';
import { asDomainError } from '../platform/database/errors.js';
import { RETRY_AFTER_SECONDS, sendGraphQLErrors, sendJson, sendText } from '../platform/http/send-json.js';
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
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  PARSER_NOT_CONFIGURED: 503,
  BUSY: 503,
  UNAVAILABLE: 503,
  STORAGE_FULL: 507,
};

/**
 * The form of a refusal: `{"error":{…}}`; `{"errors":[…]}` as GraphQL clients read it; a sentence as plain text. `kept
 * dump` is plain text for senders that erase their dump at every status below 500: see `statusThatKeepsDump`.
 */
export type ErrorForm = 'rest' | 'graphql' | 'text' | 'kept dump';

interface ErrorOptions {
  form?: ErrorForm;
  /** As `sendJson` takes it. */
  end?: boolean;
}

/** Answers in the form of the route. Errors that are not domain errors are logged and masked. */
export function sendError(
  response: ServerResponse,
  thrown: unknown,
  log: Logger,
  options: ErrorOptions = {},
): DomainErrorCode | 'INTERNAL_SERVER_ERROR' {
  const error = asDomainError(thrown);
  if (!(error instanceof DomainError)) {
    log.error({ err: error }, 'request failed');
    const message = 'Unexpected error; the log has it under this request id.';
    sendRefusal(response, { status: 500, code: 'INTERNAL_SERVER_ERROR', message }, options);
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
  sendRefusal(response, { status, code: error.code, message: error.message }, options);
  return error.code;
}

/** Answers with an error whose status is known. */
export function sendRefusal(
  response: ServerResponse,
  { status, code, message }: { status: number; code: string; message: string },
  { form = 'rest', ...options }: ErrorOptions,
): void {
  if (form === 'graphql') sendGraphQLErrors(response, status, [{ message, extensions: { code } }], options);
  else if (form === 'text') sendText(response, status, message, options);
  else if (form === 'kept dump') sendText(response, statusThatKeepsDump(status), message, options);
  else sendJson(response, status, errorBody(code, message), options);
}

/** What no later try can make right: the sender may erase its dump, or it would send it every minute for ever. */
const HOPELESS = [400, 405, 415];

/**
 * Whatever an admin or time can make right (a model that is missing, a limit, a host name, a full disk) becomes a status
 * of 500 or more, so that the dump waits in the device.
 */
function statusThatKeepsDump(status: number): number {
  return status >= 500 || HOPELESS.includes(status) ? status : 503;
}

export function errorBody(code: string, message: string) {
  return { error: { code, message } };
}
