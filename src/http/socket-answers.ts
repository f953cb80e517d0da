import type { Duplex } from 'node:stream';
import { answerOnSocket } from '../platform/http/send-json.js';
import { errorBody } from './errors.js';
import { SAFE_HEADER_LINES } from './security-headers.js';

/** A refusal without a response object: for bytes that are not a request, and for upgrades. */
export interface SocketRefusal {
  status: number;
  code: string;
  message: string;
}

/** Sends the answer and closes the connection. */
export function refuseOnSocket(socket: Duplex, { status, code, message }: SocketRefusal): void {
  answerOnSocket(socket, {
    status,
    headers: `Content-Type: application/json; charset=utf-8\r\n${SAFE_HEADER_LINES}`,
    body: `${JSON.stringify(errorBody(code, message))}\n`,
  });
}

/** The answer to bytes that Node cannot parse as a request. */
export function refusalOfMalformed({ code = '' }: NodeJS.ErrnoException): SocketRefusal {
  return { code: 'BAD_USER_INPUT', ...(MALFORMED[code] ?? NO_HTTP) };
}

const NO_HTTP = { status: 400, message: 'This is not a valid HTTP request.' };

/** By the code of Node's parser error. */
const MALFORMED: Readonly<Record<string, typeof NO_HTTP>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The request head is too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request arrived too slowly.' },
};
