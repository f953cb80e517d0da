import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { graphqlMediaType } from './graphql-media-type.js';

/** `Retry-After` in seconds for refusals without a known duration. */
export const RETRY_AFTER_SECONDS = 10;

/**
 * Sends JSON with a line end. Does nothing when the client has disconnected or the headers were already sent.
 *
 * @param end false leaves the response open after its body, for callers that still read the rest of the request
 * @param type without its character set, which is UTF-8
 */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  { end = true, type = 'application/json' } = {},
): void {
  send(response, status, `${JSON.stringify(body)}\n`, { end, type });
}

/** Sends a sentence as plain text with a line end. Otherwise as `sendJson`. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  { end = true }: { end?: boolean } = {},
): void {
  send(response, status, `${text}\n`, { end, type: 'text/plain' });
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  { end, type }: { end: boolean; type: string },
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
  });
  if (end) response.end(text);
  else response.write(text);
}

/**
 * Sends the errors of a GraphQL request that never became an operation. Its type is the one that the client asks for:
 * clients read errors of another status only in the type that says so, `application/graphql-response+json`.
 */
export function sendGraphQLErrors(
  response: ServerResponse,
  status: number,
  errors: readonly object[],
  options: { end?: boolean } = {},
): void {
  const type = graphqlMediaType(response.req.headers.accept ?? '') ?? 'application/json';
  sendJson(response, status, { errors }, { ...options, type });
}

/** Answers on a connection without a response object (an invalid request, or an upgrade), then ends it. */
export function answerOnSocket(
  socket: Duplex,
  { status, headers = '', body }: { status: number /** Whole lines. */; headers?: string; body: string },
): void {
  if (!socket.writable) return;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
