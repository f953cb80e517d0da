import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** What `Retry-After` says after refusals that do not know themselves when they will have passed. */
export const RETRY_AFTER_SECONDS = 10;

/**
 * Answers with JSON and a line end. Does nothing when the client has gone, or the answer has begun and cannot be changed
 * any more.
 *
 * @param end false leaves the response open after its whole body, for who still has to read the rest of the request
 */
export function sendJson(response: ServerResponse, status: number, body: object, { end = true } = {}): void {
  if (response.destroyed || response.headersSent) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
  });
  if (end) response.end(text);
  else response.write(text);
}

/** Answers on a connection that has no response object, since its bytes were no request or ask for an upgrade; and ends it. */
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
