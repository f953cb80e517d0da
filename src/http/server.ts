import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { DomainError, notFound } from '../errors.js';
import type { AllowedHosts, HostRefusal } from '../platform/http/allowed-hosts.js';
import { readTarget } from '../platform/http/request-target.js';
import type { Logger } from '../platform/logger.js';
import type { Metrics } from '../platform/metrics.js';
import { discardRest } from './body.js';
import { HTTP_OPTIONS, limitConnections, watchSlowBodies } from './connection-limits.js';
import type { CrossOrigin } from './cors.js';
import type { createPageRoute } from './dashboard-assets.js';
import type { createPageConfigRoute } from './dashboard-config.js';
import type { createDownloadRoute } from './download.js';
import { errorBody, sendError, sendJson } from './errors.js';
import type { createHealthRoutes } from './health.js';
import { explained, type ListenAddress } from './listen-address.js';
import { createRequestsInFlight } from './requests-in-flight.js';
import { setSafeHeaders } from './security-headers.js';
import { watchSlowReaders } from './slow-readers.js';
import { answerOnSocket, answerToGarbage } from './socket-answers.js';
import type { createUploadRoute } from './upload.js';

export interface Doors {
  upload: ReturnType<typeof createUploadRoute>;
  download: ReturnType<typeof createDownloadRoute>;
  health: ReturnType<typeof createHealthRoutes>;
  page: ReturnType<typeof createPageRoute>;
  pageConfig: ReturnType<typeof createPageConfigRoute>;
  graphql: (request: IncomingMessage, response: ServerResponse, requestId: string) => Promise<void>;
  webSocket: {
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
    /** Whether a query or mutation runs over one. */
    isBusy(): boolean;
  };
  /** Ends subscriptions, over whatever they come, in the way that makes their clients come again. */
  endStreams: () => Promise<void>;
}

export interface HttpServer {
  readonly url: string;
  /** Ends gracefully: requests in flight finish (at most `graceMs`), new ones are told to come back. */
  stop(graceMs: number): Promise<void>;
}

/** Mounts the doors on one port. */
export async function listen({
  host,
  port,
  maxConnections,
  allowedHosts,
  answerStallMs,
  crossOrigin,
  doors,
  metrics,
  log,
  onStopping,
}: {
  host: string;
  port: number;
  maxConnections: number;
  allowedHosts: AllowedHosts;
  answerStallMs: number;
  crossOrigin: CrossOrigin;
  doors: Doors;
  metrics: Metrics;
  log: Logger;
  /** Called first of all when a stop begins, so that readiness fails. */
  onStopping: () => void;
}): Promise<HttpServer> {
  const inFlight = createRequestsInFlight();
  /** The upload that a socket is sending now, to be told when the socket stops making sense. */
  const uploading = new WeakMap<Duplex, AbortController>();
  /** Refused host names that the log has already. */
  const warnedOf = new Set<string>();
  let isStopping = false;

  const server = createServer(HTTP_OPTIONS);
  limitConnections(server, maxConnections, metrics);
  const slowBodies = watchSlowBodies();
  const slowReaders = watchSlowReaders({ periodMs: answerStallMs, metrics });
  server.on('request', route);
  // The routes say "100 Continue" themselves, after they have seen the head.
  server.on('checkContinue', route);
  server.on('upgrade', upgrade);
  server.on('clientError', refuseGarbage);
  await startListening(server, { host, port });

  return {
    url: urlOf(host, server.address() as AddressInfo),
    async stop(graceMs) {
      isStopping = true;
      onStopping();
      await inFlight.drain(graceMs, doors.webSocket.isBusy);
      // Before the streams end, so that who comes again at once meets nobody or the next server, and not us.
      server.close();
      await doors.endStreams();
      await inFlight.close(GOODBYE_MS);
      slowBodies.stop();
      slowReaders.stop();
      server.closeAllConnections();
    },
  };

  function route(request: IncomingMessage, response: ServerResponse): void {
    const requestId = randomUUID();
    response.setHeader('X-Request-Id', requestId);
    const target = readTarget(request);
    setSafeHeaders(response, target?.url.pathname ?? '');
    const refusal = allowedHosts.refusalOf(request, target);
    if (refusal !== null) {
      warnOfHost(refusal);
      refuseUnread(request, response, refusal);
      return;
    }
    const requestLog = log.child({ requestId, method: request.method, path: target?.url.pathname });
    if (crossOrigin.isEmbedded(request)) {
      refuse(response, new DomainError('FORBIDDEN', 'Requests of other sites are refused.'), requestLog);
      return;
    }
    if (crossOrigin.answer(request, response)) return;
    slowReaders.watch(response, requestLog);
    if (target === null) {
      refuse(response, new DomainError('BAD_USER_INPUT', 'The request has no valid path.'), requestLog);
      return;
    }
    const { url } = target;
    if (isStopping && !PROBES.includes(url.pathname)) {
      turnAway(request, response);
      return;
    }

    const work = dispatch(request, response, { url, requestId, log: requestLog });
    const answered = Promise.resolve(work).catch((error: unknown) => sendError(response, error, requestLog));
    inFlight.begin(response, answered);
  }

  /** Not taken in any more; the balancer, or the device itself, looks for another server or comes back later. */
  function turnAway(request: IncomingMessage, response: ServerResponse): void {
    // A browser gives up an event stream for good when it is answered by anything but one, and takes up another when
    // the connection just ends.
    if (request.headers.accept?.includes('text/event-stream') === true) {
      request.socket.destroySoon();
      return;
    }
    response.setHeader('Retry-After', RESTART_SECONDS);
    refuseUnread(request, response, STOPPING);
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that goes before it has its answer is no failure of ours.
    socket.on('error', () => {});
    const refusal = allowedHosts.refusalOf(request, readTarget(request));
    if (refusal !== null) {
      warnOfHost(refusal);
      answerOnSocket(socket, refusal);
      return;
    }
    if (isStopping) answerOnSocket(socket, STOPPING);
    else doors.webSocket.upgrade(request, socket, head);
  }

  /** @returns the work that a stop waits for, if any */
  function dispatch(
    request: IncomingMessage,
    response: ServerResponse,
    { url, requestId, log: requestLog }: { url: URL; requestId: string; log: Logger },
  ): Promise<unknown> | undefined {
    const path = url.pathname;
    if (path === '/api/iot/coredump') {
      if (!allow(['POST'], request, response)) return undefined;
      if (crossOrigin.isForeign(request)) {
        refuse(response, new DomainError('FORBIDDEN', 'Uploads of other sites are refused.'), requestLog);
        return undefined;
      }
      const controller = new AbortController();
      uploading.set(request.socket, controller);
      return doors.upload(request, response, { url, signal: controller.signal, log: requestLog });
    }
    slowBodies.watch(request, response, requestLog);
    if (request.headers.expect !== undefined) response.writeContinue();
    if (path === '/graphql') {
      return doors.graphql(request, response, requestId);
    }
    const download = DOWNLOAD.exec(path)?.groups;
    if (download?.id !== undefined) {
      if (!allow(['GET', 'HEAD'], request, response)) return undefined;
      const id = decode(download.id);
      const device = download.device === undefined ? undefined : decode(download.device);
      return doors.download(request, response, {
        url,
        id,
        requestId,
        ...(device === undefined ? {} : { device }),
        log: requestLog,
      });
    }
    switch (path) {
      case '/healthz':
        doors.health.healthz(response);
        return undefined;
      case '/readyz':
        return doors.health.readyz(response);
      case '/metrics':
        return doors.health.metrics(request, response);
      case '/api/config':
        return allow(['GET', 'HEAD'], request, response) ? doors.pageConfig(request, response) : undefined;
      default:
        if (isRead(request) && doors.page(request, response, path)) return undefined;
        refuse(response, notFound('page', path.slice(0, 200)), requestLog);
        return undefined;
    }
  }

  /**
   * Bytes that are no HTTP. When they follow an upload's body on the same connection the Content-Length was too
   * short and the dump is not whole: the upload is told, and answers. Otherwise nobody will, so we do.
   */
  function refuseGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
    const upload = uploading.get(socket);
    if (upload !== undefined && isOpen(socket)) {
      upload.abort(
        new DomainError('BAD_USER_INPUT', 'The body does not end where its Content-Length or chunks say.'),
      );
      return;
    }
    answerOnSocket(socket, answerToGarbage(error));
  }

  /** Once for each name: a page that keeps asking must not fill the log. */
  function warnOfHost({ status, message }: HostRefusal): void {
    if (status !== 421 || warnedOf.size >= MAX_WARNED || warnedOf.has(message)) return;
    warnedOf.add(message);
    log.warn(message);
  }
}

/** Whoever watches the server must see it stop. */
const PROBES = ['/healthz', '/readyz', '/metrics'];

/** Until a server that restarts is there again, as a rule. */
const RESTART_SECONDS = 10;
const STOPPING = { status: 503, code: 'UNAVAILABLE', message: 'The server is stopping; try again.' };

const MAX_WARNED = 100;

/** How long the last bytes of event streams may take to leave. */
const GOODBYE_MS = 1_000;

const DOWNLOAD = /^\/api(?:\/devices\/(?<device>[^/]+))?\/coredumps\/(?<id>[^/]+)\/download$/;

/** Before anything of a request is looked at; what still comes of it is thrown away. */
function refuseUnread(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message }: { status: number; code: string; message: string },
): void {
  response.setHeader('Connection', 'close');
  const isGraphQL = readTarget(request)?.url.pathname === '/graphql';
  const body = isGraphQL ? { errors: [{ message, extensions: { code } }] } : errorBody(code, message);
  sendJson(response, status, body, { end: false });
  discardRest(request, response);
}

function refuse(response: ServerResponse, error: DomainError, log: Logger): void {
  sendError(response, error, log);
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function allow(methods: readonly string[], request: IncomingMessage, response: ServerResponse): boolean {
  if (methods.includes(request.method ?? '')) return true;
  response.setHeader('Allow', methods.join(', '));
  response.setHeader('Connection', 'close');
  sendJson(response, 405, errorBody('BAD_USER_INPUT', `Use ${methods.join(' or ')} here.`));
  return false;
}

/** Malformed percent signs become an id that does not exist. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function isOpen(socket: Duplex): boolean {
  return !socket.destroyed;
}

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
