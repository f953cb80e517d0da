import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { DomainError } from '../errors.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { type ErrorForm, sendError } from './errors.js';

/**
 * Options of Node's HTTP server. Its parser is strict by default: Content-Length beside Transfer-Encoding, two lengths,
 * bare line feeds and the like are answered with 400, and the connection is closed.
 */
export const HTTP_OPTIONS: ServerOptions = {
  /** Largest head (request line and headers) that is read; GraphQL queries by GET are the longest legitimate ones. */
  maxHeaderSize: 32 * 1024,
  headersTimeout: 15_000,
  /** Uploads have a stricter limit of their own; this one is for multipart firmware uploads over slow connections. */
  requestTimeout: 15 * 60 * 1000,
  /** How often Node looks for senders whose head arrives too slowly. */
  connectionsCheckingInterval: 5_000,
};

/** A connection without traffic is closed after this time. SSE and WebSocket send pings. */
const IDLE_TIMEOUT_MS = 2 * 60 * 1000;

/**
 * Minimum of bytes in each period, unless fewer remain. The period is longer than an upload's: bundles wait for the
 * disk.
 */
const SLOW_BODY_PERIOD_MS = 30_000;
const SLOW_BODY_BYTES = 1_024;

/** Limits the number of connections, and counts refused ones. */
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
 * Closes connections whose request body arrives too slowly, for every route. A request is checked from its head until
 * its body is complete, by the bytes that its connection has received.
 */
export function watchSlowBodies({ periodMs = SLOW_BODY_PERIOD_MS }: { periodMs?: number } = {}): {
  /** @param form of the answer */
  watch(request: IncomingMessage, response: ServerResponse, log: Logger, form?: ErrorForm): void;
  stop(): void;
} {
  interface Sender {
    response: ServerResponse;
    log: Logger;
    form: ErrorForm;
    bytesBefore: number;
  }
  const sending = new Map<IncomingMessage, Sender>();
  const timer = setInterval(check, periodMs);
  timer.unref();
  return {
    watch(request, response, log, form = 'rest') {
      if (request.complete) return;
      sending.set(request, { response, log, form, bytesBefore: -1 });
      request.once('close', () => sending.delete(request));
    },
    stop: () => clearInterval(timer),
  };

  function check(): void {
    for (const [request, sender] of sending) {
      const { bytesRead } = request.socket;
      if (request.complete) sending.delete(request);
      // The first check comes less than a period after the head, so it only records the number of bytes.
      else if (sender.bytesBefore >= 0 && bytesRead - sender.bytesBefore < SLOW_BODY_BYTES)
        cut(request, sender);
      else sender.bytesBefore = bytesRead;
    }
  }

  function cut(request: IncomingMessage, { response, log, form }: Sender): void {
    sending.delete(request);
    response.shouldKeepAlive = false;
    const message = `The body arrived too slowly: less than ${SLOW_BODY_BYTES} bytes in ${periodMs / 1000} s.`;
    sendError(response, new DomainError('BODY_STALLED', message), log, { form });
    // One iteration of the event loop, so that the answer is sent.
    setImmediate(() => request.socket.destroySoon());
  }
}
