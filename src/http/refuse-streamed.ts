import { discardRest } from './body.js';
import { sendError } from './errors.js';
import type { Exchange } from './exchange.js';

/** Answers a request whose body may still arrive: its rest is discarded, and the connection closed. @returns the code */
export function refuseStreamed(
  { request, response, log }: Pick<Exchange, 'request' | 'response' | 'log'>,
  error: unknown,
): ReturnType<typeof sendError> {
  const isUnread = !request.complete && !request.destroyed;
  if (isUnread) response.setHeader('Connection', 'close');
  const code = sendError(response, error, log, { end: !isUnread });
  if (isUnread) discardRest(request, response);
  return code;
}
