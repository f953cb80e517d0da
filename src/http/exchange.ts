import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../platform/logger.js';

/** A request and its response, as a route's handler receives them. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** The query string with its question mark; empty when there is none. */
  readonly search: string;
  /** Sent as `X-Request-Id`, and part of each log line about this request. */
  readonly requestId: string;
  readonly log: Logger;
}

/** An exchange whose handler reads the body as a stream, with its own time limits. */
export interface StreamedExchange extends Exchange {
  /** Aborted, with the error for the answer, when the bytes after the request are not valid HTTP. */
  readonly signal: AbortSignal;
}
