import type { IncomingMessage, ServerResponse } from 'node:http';
import { RETRY_AFTER_SECONDS } from '../platform/http/send-json.js';
import { discardRest, PATIENT_LINGER_MS } from './body.js';
import { type ErrorForm, sendRefusal } from './errors.js';
import type { Method } from './routes.js';

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
  refusal: Refusal,
  form: ErrorForm,
): void {
  response.setHeader('Connection', 'close');
  sendRefusal(response, refusal, { form, end: false });
  discardRest(request, response, form === 'kept dump' ? PATIENT_LINGER_MS : undefined);
}

export function refuseWhileStopping(
  request: IncomingMessage,
  response: ServerResponse,
  form: ErrorForm,
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

export function refuseMethod(response: ServerResponse, methods: readonly Method[], form: ErrorForm): void {
  response.setHeader('Allow', methods.join(', '));
  response.setHeader('Connection', 'close');
  const message = `Use ${methods.join(' or ')} here.`;
  sendRefusal(response, { status: 405, code: 'BAD_USER_INPUT', message }, { form });
}
