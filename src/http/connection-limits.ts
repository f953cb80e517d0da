import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError } from '../errors.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { sendError } from './errors.js';

/**
 * How Node's HTTP server treats connections. Its parser is strict by default: Content-Length beside
 * Transfer-Encoding, two lengths, bare line feeds and the like are a 400, and the connection is closed.
 */
export const HTTP_OPTIONS: ServerOptions = {
  /** Largest head (request line and headers) that is read; GraphQL queries by GET are its longest honest use. */
  maxHeaderSize: 32 * 1024,
  headersTimeout: 15_000,
  /** Uploads have their own, stricter watch; this one is for multipart firmware uploads over slow lines. */
  requestTimeout: 15 * 60 * 1000,
  /** How often Node looks for senders that are too slow with the head. */
  connectionsCheckingInterval: 5_000,
};

/** A connection on which nothing moves is closed after this time. SSE and WebSocket send pings. */
const IDLE_TIMEOUT_MS = 2 * 60 * 1000;

/** What a body must bring in each period, or its rest. Longer than an upload's, since bundles wait for the disk. */
const SLOW_BODY_PERIOD_MS = 30_000;
const SLOW_BODY_BYTES = 1_024;

/** Bounds the number of connections, and counts those that are refused. */
export function limitConnections(server: Server, maxConnections: number, metrics: Metrics): void {
  let open = 0;
  server.maxConnections = maxConnections;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  server.on('drop', () => metrics.droppedConnections.inc());
  metrics.gauge('http_connections', 'Open connections, WebSockets included', () => open);
}

/**
 * Cuts senders whose body trickles, whatever route it is for. A request is watched from its head until its body has
 * come as a whole, by what its connection has brought.
 */
export function watchSlowBodies({ periodMs = SLOW_BODY_PERIOD_MS }: { periodMs?: number } = {}): {
  watch(request: IncomingMessage, response: ServerResponse, log: Logger): void;
  stop(): void;
} {
  interface Sender {
    response: ServerResponse;
    log: Logger;
    bytesBefore: number;
  }
  const sending = new Map<IncomingMessage, Sender>();
  const timer = setInterval(check, periodMs);
  timer.unref();
  return {
    watch(request, response, log) {
      if (request.complete) return;
      sending.set(request, { response, log, bytesBefore: -1 });
      request.once('close', () => sending.delete(request));
    },
    stop: () => clearInterval(timer),
  };

  function check(): void {
    for (const [request, sender] of sending) {
      const { bytesRead } = request.socket;
      if (request.complete) sending.delete(request);
      // The first check comes at any time after the head, so it only takes the measure.
      else if (sender.bytesBefore >= 0 && bytesRead - sender.bytesBefore < SLOW_BODY_BYTES)
        cut(request, sender);
      else sender.bytesBefore = bytesRead;
    }
  }

  function cut(request: IncomingMessage, { response, log }: Sender): void {
    sending.delete(request);
    response.shouldKeepAlive = false;
    const message = `The body came too slowly: less than ${SLOW_BODY_BYTES} bytes in ${periodMs / 1000} s.`;
    sendError(response, new DomainError('BODY_STALLED', message), log);
    // The answer gets one round of the event loop to be sent.
    setImmediate(() => request.socket.destroySoon());
  }
}
