import type { GraphQLError } from 'graphql';
import type { WebSocket } from 'ws';
import { type Person, TokenExpired } from '../../auth/principal.js';
import type { HeldSession } from '../../auth/session-lookup.js';
import { DomainError } from '../../errors.js';
import { MAX_TIMER_MS } from '../../platform/async-iterators.js';
import type { Clock } from '../../platform/clock.js';

/**
 * Close codes: those of graphql-transport-ws for refused clients, and standard ones after which clients reconnect. For
 * graphql-ws 4401 is final. After 4403 it asks for new connectionParams and tries again.
 */
const UNAUTHORIZED = 4401;
export const FORBIDDEN = 4403;
export const [SERVICE_RESTART, TRY_AGAIN_LATER] = [1012, 1013];

/** RFC 6455 §5.5: a control frame has 125 bytes, two of them for the code. The rest allows for a cut character. */
const MAX_REASON_BYTES = 120;

/** Closes with the reason, which is all that a client receives. */
export function closeRefused(
  socket: WebSocket,
  error: unknown,
  mask: (error: unknown) => GraphQLError,
): void {
  const { message } = mask(error);
  closeUnread(socket, closeCodeOf(error), Buffer.from(message).subarray(0, MAX_REASON_BYTES).toString());
}

/** Reads nothing more: a client need not answer the close frame, and could go on to send operations. */
export function closeUnread(socket: WebSocket, code: number, reason: string): void {
  socket.removeAllListeners('message');
  socket.close(code, reason);
}

/** Closes a connection when the token that it was opened with expires. */
export function closeAtEndOfToken(
  socket: WebSocket,
  { until }: Person,
  { clock, mask }: { clock: Pick<Clock, 'now'>; mask: (error: unknown) => GraphQLError },
): void {
  if (until === null) return;
  const endsAt = until.getTime();
  let timer = setTimeout(check, 0);
  socket.on('close', () => clearTimeout(timer));

  function check(): void {
    const remainingMs = endsAt - clock.now().getTime();
    if (remainingMs <= 0) closeRefused(socket, new TokenExpired(), mask);
    else timer = setTimeout(check, Math.min(remainingMs, MAX_TIMER_MS));
  }
}

/** Closes a connection when the session that it was opened with ends. */
export function closeAtEndOfSession(
  socket: WebSocket,
  { ended, release }: Pick<HeldSession, 'ended' | 'release'>,
  mask: (error: unknown) => GraphQLError,
): void {
  const close = () => closeRefused(socket, ended.reason, mask);
  socket.on('close', release);
  if (socket.readyState !== socket.OPEN) release();
  if (ended.aborted) close();
  else ended.addEventListener('abort', close, { once: true });
}

function closeCodeOf(error: unknown): number {
  if (error instanceof TokenExpired) return FORBIDDEN;
  switch (error instanceof DomainError ? error.code : undefined) {
    case 'UNAVAILABLE':
    case 'RATE_LIMITED':
      return TRY_AGAIN_LATER;
    case 'UNAUTHENTICATED':
      return UNAUTHORIZED;
    default:
      return FORBIDDEN;
  }
}
