import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody } from './errors.js';
import { SAFE_HEADER_LINES } from './security-headers.js';

/** An answer to what has no response object: bytes that are no request, or the wish for an upgrade. */
export interface SocketAnswer {
  status: number;
  code: string;
  message: string;
}

/** Answers, and ends the connection. */
export function answerOnSocket(socket: Duplex, { status, code, message }: SocketAnswer): void {
  if (!socket.writable) return;
  const body = `${JSON.stringify(errorBody(code, message))}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${SAFE_HEADER_LINES}Connection: close\r\n\r\n${body}`,
  );
}

/** What to say to bytes that Node could make no request of. */
export function answerToGarbage({ code = '' }: NodeJS.ErrnoException): SocketAnswer {
  return { code: 'BAD_USER_INPUT', ...(GARBAGE[code] ?? NO_HTTP) };
}

const NO_HTTP = { status: 400, message: 'This is not a valid HTTP request.' };

/** By the code that Node gives to what it could not make a request of. */
const GARBAGE: Readonly<Record<string, typeof NO_HTTP>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The request head is too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request came too slowly.' },
};
