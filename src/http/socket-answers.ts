import type { Duplex } from 'node:stream';
import { answerOnSocket } from '../platform/http/send-json.js';
import { errorBody } from './errors.js';
import { SAFE_HEADER_LINES } from './security-headers.js';

/** A refusal of what has no response object: bytes that are no request, or the wish for an upgrade. */
export interface SocketRefusal {
  status: number;
  code: string;
  message: string;
}

/** Answers, and ends the connection. */
export function refuseOnSocket(socket: Duplex, { status, code, message }: SocketRefusal): void {
  answerOnSocket(socket, {
    status,
    headers: `Content-Type: application/json; charset=utf-8\r\n${SAFE_HEADER_LINES}`,
    body: `${JSON.stringify(errorBody(code, message))}\n`,
  });
}

/** What to say to bytes that Node could make no request of. */
export function refusalOfGarbage({ code = '' }: NodeJS.ErrnoException): SocketRefusal {
  return { code: 'BAD_USER_INPUT', ...(GARBAGE[code] ?? NO_HTTP) };
}

const NO_HTTP = { status: 400, message: 'This is not a valid HTTP request.' };

/** By the code that Node gives to what it could not make a request of. */
const GARBAGE: Readonly<Record<string, typeof NO_HTTP>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The request head is too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request came too slowly.' },
};
