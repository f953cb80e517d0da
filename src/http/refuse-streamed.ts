import { discardRest } from './body.js';
import { type ErrorForm, sendError } from './errors.js';
import type { Exchange } from './exchange.js';

/**
 * Answers a request whose body may still arrive: its rest is discarded, and the connection closed.
 *
 * @param lingerMs how long the rest is discarded; as `discardRest` where it is left out
 * @returns the code
 */
export function refuseStreamed(
  { request, response, log }: Pick<Exchange, 'request' | 'response' | 'log'>,
  error: unknown,
  { form = 'rest', lingerMs }: { form?: ErrorForm; lingerMs?: number } = {},
): ReturnType<typeof sendError> {
  const isUnread = !request.complete && !request.destroyed;
  if (isUnread) response.setHeader('Connection', 'close');
  const code = sendError(response, error, log, { form, end: !isUnread });
  if (isUnread) discardRest(request, response, lingerMs);
  return code;
}
