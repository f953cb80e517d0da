import type { RawData, WebSocket } from 'ws';
import { excessOfJson } from './json-limits.js';
import { closeUnread } from './websocket-closing.js';

/** Operations that run at once on one WebSocket: a page may have a subscription for each row that it shows. */
const MAX_OPERATIONS = 100;
/** Messages of one WebSocket in a window: enough to open a hundred subscriptions and close them again, twice. */
const MAX_MESSAGES = 400;
const WINDOW_MS = 10_000;
/** Time for the client's close frame. */
const CLOSE_TIMEOUT_MS = 1_000;

/** RFC 6455 §7.4.1: the message violates the endpoint's policy. */
const POLICY_VIOLATION = 1008;
/** graphql-transport-ws: the message is not valid. */
const INVALID_MESSAGE = 4400;

/**
 * Closes a socket that sends too many messages, or one message that is costly to parse. Must be called after all
 * listeners for messages were added: it passes messages within the limits on to them.
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
    closeUnread(socket, code, reason);
    // A flooding client may not answer the close frame.
    setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }
}

/**
 * @param operations of the socket, including the new one
 * @returns the reason why the new one is refused, or null
 */
export function refusalOfOperation(operations: number): string | null {
  if (operations <= MAX_OPERATIONS) return null;
  return `A WebSocket runs at most ${MAX_OPERATIONS} operations at once; end one first.`;
}
