import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { badInput } from '../errors.js';
import type { AllowedHosts } from '../platform/http/allowed-hosts.js';
import { removeBasePath } from '../platform/http/base-path.js';
import { readTarget } from '../platform/http/request-target.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { HTTP_OPTIONS, limitConnections, watchSlowBodies } from './connection-limits.js';
import type { CrossOrigin } from './cors.js';
import { createDispatch } from './dispatch.js';
import { explained, type ListenAddress } from './listen-address.js';
import { STOPPING } from './refusals.js';
import { createRequestsInFlight } from './requests-in-flight.js';
import { createRouteTable } from './route-table.js';
import type { Route } from './routes.js';
import type { SettingWarnings } from './setting-warnings.js';
import { watchSlowReaders } from './slow-readers.js';
import { refusalOfMalformed, refuseOnSocket } from './socket-answers.js';

/** Subscriptions over WebSocket. */
interface WebSocketTransport {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Whether a query or mutation runs over a WebSocket. */
  isBusy(): boolean;
}

export interface HttpServer {
  readonly url: string;
  /** Stops gracefully: requests in flight finish (within `graceMs`), new ones are refused with `Retry-After`. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Serves the table of routes on one port.
 *
 * @throws Error that begins with the name of the setting when it cannot listen there
 */
export async function listen({
  host,
  port,
  maxConnections,
  basePath,
  allowedHosts,
  settingWarnings,
  answerStallMs,
  crossOrigin,
  routes,
  webSocket,
  endStreams,
  metrics,
  log,
  onStopping,
}: {
  host: string;
  port: number;
  maxConnections: number;
  /** Path below which people reach the server; empty at the root. */
  basePath: string;
  allowedHosts: AllowedHosts;
  settingWarnings: SettingWarnings;
  answerStallMs: number;
  crossOrigin: CrossOrigin;
  routes: readonly Route[];
  webSocket: WebSocketTransport;
  /** Ends subscriptions over every transport, in the way that makes their clients reconnect. */
  endStreams: () => Promise<void>;
  metrics: Metrics;
  log: Logger;
  /** Called first when a stop begins, so that readiness fails. */
  onStopping: () => void;
}): Promise<HttpServer> {
  const inFlight = createRequestsInFlight();
  const streaming = new WeakMap<Duplex, AbortController>();
  let isStopping = false;

  const server = createServer(HTTP_OPTIONS);
  limitConnections(server, maxConnections, metrics);
  const slowBodies = watchSlowBodies();
  const slowReaders = watchSlowReaders({ periodMs: answerStallMs, metrics });
  const dispatch = createDispatch({
    routes: createRouteTable(routes),
    basePath,
    allowedHosts,
    settingWarnings,
    crossOrigin,
    slowBodies,
    slowReaders,
    inFlight,
    streaming,
    isStopping: () => isStopping,
    log,
  });
  server.on('request', dispatch);
  // The routes send "100 Continue" themselves, after they have checked the head.
  server.on('checkContinue', dispatch);
  server.on('upgrade', upgrade);
  server.on('clientError', refuseMalformed);
  await startListening(server, { host, port });

  return {
    url: urlOf(host, server.address() as AddressInfo),
    async stop(graceMs) {
      isStopping = true;
      onStopping();
      await inFlight.drain(graceMs, webSocket.isBusy);
      // Before the streams end, so that a client that reconnects at once does not reach this server.
      server.close();
      await endStreams();
      await inFlight.close(CLOSE_TIMEOUT_MS);
      slowBodies.stop();
      slowReaders.stop();
      server.closeAllConnections();
    },
  };

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that disconnects before its answer is not an error of the server.
    socket.on('error', () => {});
    removeBasePath(request, basePath);
    const refusal = allowedHosts.refusalOf(request, readTarget(request));
    if (refusal !== null) {
      if (refusal.status === 421) settingWarnings.note(refusal.message);
      refuseOnSocket(socket, refusal);
      return;
    }
    if (isStopping) refuseOnSocket(socket, STOPPING);
    else webSocket.upgrade(request, socket, head);
  }

  /**
   * Handles bytes that are not valid HTTP. When they follow a streamed body on the same connection, its Content-Length
   * was too short and the dump is incomplete: the body's handler is notified by the signal and answers. Otherwise this
   * answers.
   */
  function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    const controller = streaming.get(socket);
    if (controller === undefined || socket.destroyed) {
      refuseOnSocket(socket, refusalOfMalformed(error));
      return;
    }
    controller.abort(badInput('The body does not end where its Content-Length or its chunks end.'));
  }
}

/** Time for the last bytes of event streams to be sent. */
const CLOSE_TIMEOUT_MS = 1_000;

async function startListening(server: Server, address: ListenAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explained(error, address)));
    server.listen(address, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
