import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../platform/logger.js';

/** A request with its answer, as the handler of a route gets it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** The query string with its question mark; empty without one. */
  readonly search: string;
  /** The answer has it as `X-Request-Id`, and the log in each line about this request. */
  readonly requestId: string;
  readonly log: Logger;
}

/** An exchange whose handler reads the body as it comes, in its own time. */
export interface StreamedExchange extends Exchange {
  /** Aborted, with the error to answer with, when the connection turns out not to speak proper HTTP. */
  readonly signal: AbortSignal;
}
