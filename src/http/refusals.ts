import type { IncomingMessage, ServerResponse } from 'node:http';
import { RETRY_AFTER_SECONDS, sendJson } from '../platform/http/send-json.js';
import { discardRest } from './body.js';
import { errorBody } from './errors.js';
import type { Method, Route } from './routes.js';

/** A refusal that depends only on the head of a request. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** For requests during a stop: a load balancer tries another server, a device comes back later. */
export const STOPPING: Refusal = {
  status: 503,
  code: 'UNAVAILABLE',
  message: 'The server is stopping; try again.',
};

/** Answers before the body is read, then closes the connection. The rest of the request is discarded. */
export function refuseUnread(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message }: Refusal,
  form: Route['errors'],
): void {
  response.setHeader('Connection', 'close');
  sendJson(response, status, refusalBody(form, code, message), { end: false });
  discardRest(request, response);
}

export function refuseWhileStopping(
  request: IncomingMessage,
  response: ServerResponse,
  form: Route['errors'],
): void {
  // A browser never reopens an event stream that was answered by another content type, but does reopen one whose
  // connection was closed.
  if (request.headers.accept?.includes('text/event-stream') === true) {
    request.socket.destroySoon();
    return;
  }
  response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
  refuseUnread(request, response, STOPPING, form);
}

export function refuseMethod(
  response: ServerResponse,
  methods: readonly Method[],
  form: Route['errors'],
): void {
  response.setHeader('Allow', methods.join(', '));
  response.setHeader('Connection', 'close');
  sendJson(response, 405, refusalBody(form, 'BAD_USER_INPUT', `Use ${methods.join(' or ')} here.`));
}

function refusalBody(form: Route['errors'], code: string, message: string): object {
  return form === 'graphql' ? { errors: [{ message, extensions: { code } }] } : errorBody(code, message);
}
