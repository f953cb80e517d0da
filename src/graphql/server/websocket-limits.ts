import type { RawData, WebSocket } from 'ws';
import { excessOfJson } from './json-limits.js';

/** Operations that one WebSocket has running: a page with a subscription for each row that it shows has some. */
const MAX_OPERATIONS = 100;
/** Messages of one WebSocket in a window: opening a hundred subscriptions and closing them again fits twice. */
const MAX_MESSAGES = 400;
const WINDOW_MS = 10_000;
/** How long a closed socket may take to say goodbye. */
const GOODBYE_MS = 1_000;

/** RFC 6455: the endpoint does not go along with what it is sent. */
const POLICY_VIOLATION = 1008;
/** graphql-transport-ws: what came is no message of the protocol. */
const INVALID_MESSAGE = 4400;

/**
 * Closes a socket that sends more messages than any client of ours would, or one that is costly to parse. To be called after
 * all listeners for messages are there: they get what is within the limits.
 */
export function limitMessages(socket: WebSocket, onRefusal: (limit: string) => void): void {
  const readers = socket.listeners('message');
  socket.removeAllListeners('message');
  let windowBegan = performance.now();
  let messages = 0;
  socket.on('message', (message: RawData, isBinary: boolean) => {
    const now = performance.now();
    if (now - windowBegan > WINDOW_MS) {
      windowBegan = now;
      messages = 0;
    }
    messages += 1;
    if (messages > MAX_MESSAGES) {
      onRefusal('messages');
      end(POLICY_VIOLATION, `more than ${MAX_MESSAGES} messages in ${WINDOW_MS / 1000} s`);
      return;
    }
    const excess = Buffer.isBuffer(message) ? excessOfJson(message) : null;
    if (excess !== null) {
      onRefusal(excess.limit);
      end(INVALID_MESSAGE, excess.message);
      return;
    }
    for (const read of readers) read.call(socket, message, isBinary);
  });

  function end(code: number, reason: string): void {
    // What it sent meanwhile is not read any more.
    socket.removeAllListeners('message');
    socket.close(code, reason);
    // A flooding client may not answer the close frame.
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
  }
}

/**
 * @param operations that the socket has, the one in question included
 * @returns why it may not begin, or null when it may
 */
export function refusalOfOperation(operations: number): string | null {
  if (operations <= MAX_OPERATIONS) return null;
  return `A WebSocket runs at most ${MAX_OPERATIONS} operations at once; end one first.`;
}
