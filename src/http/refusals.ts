import type { IncomingMessage, ServerResponse } from 'node:http';
import { RETRY_AFTER_SECONDS, sendJson } from '../platform/http/send-json.js';
import { discardRest } from './body.js';
import { errorBody } from './errors.js';
import type { Method, Route } from './routes.js';

/** A refusal that needs nothing of a request but its head. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** To who comes during a stop: the balancer, or the device itself, looks for another server or comes back later. */
export const STOPPING: Refusal = {
  status: 503,
  code: 'UNAVAILABLE',
  message: 'The server is stopping; try again.',
};

/** Answers before the body is looked at, and closes the connection; what still comes of the request is thrown away. */
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
  // A browser gives up an event stream for good when it is answered by anything but one, and takes up another when
  // the connection just ends.
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
