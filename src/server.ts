import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CrossOrigin } from './cross-origin.js';
import { DomainError, notFound } from './errors.js';
import type { Logger } from './platform/logger.js';
import type { Metrics } from './platform/metrics.js';
import { SAFE_HEADER_LINES, setSafeHeaders } from './rest/answer-headers.js';
import { HTTP_OPTIONS, limitConnections, watchSlowBodies } from './rest/connection-limits.js';
import type { createDownloadRoute } from './rest/download.js';
import { errorBody, sendError, sendJson } from './rest/errors.js';
import type { createHealthRoutes } from './rest/health.js';
import type { createPageRoute } from './rest/page.js';
import type { createPageConfigRoute } from './rest/page-config.js';
import { watchSlowReaders } from './rest/slow-readers.js';
import type { createUploadRoute } from './rest/upload.js';

export interface Doors {
  upload: ReturnType<typeof createUploadRoute>;
  download: ReturnType<typeof createDownloadRoute>;
  health: ReturnType<typeof createHealthRoutes>;
  page: ReturnType<typeof createPageRoute>;
  pageConfig: ReturnType<typeof createPageConfigRoute>;
  graphql: (request: IncomingMessage, response: ServerResponse, requestId: string) => unknown;
  /** Puts subscriptions over WebSocket on the server; resolves when they have ended. */
  attachWebSocket: (server: Server) => { close(): Promise<void> };
}

export interface HttpServer {
  readonly url: string;
  /** Ends gracefully: requests in flight finish (at most `graceMs`), new uploads are told to come back. */
  stop(graceMs: number): Promise<void>;
}

/** Mounts the doors on one port. */
export async function listen({
  host,
  port,
  maxConnections,
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
  answerStallMs: number;
  crossOrigin: CrossOrigin;
  doors: Doors;
  metrics: Metrics;
  log: Logger;
  /** Called first of all when a stop begins, so that readiness fails. */
  onStopping: () => void;
}): Promise<HttpServer> {
  const inFlight = new Set<Promise<unknown>>();
  /** The upload that a socket is sending now, to be told when the socket stops making sense. */
  const uploading = new WeakMap<Duplex, AbortController>();
  let isStopping = false;

  const server = createServer(HTTP_OPTIONS);
  limitConnections(server, maxConnections, metrics);
  const slowBodies = watchSlowBodies();
  const slowReaders = watchSlowReaders({ periodMs: answerStallMs, metrics });
  server.on('request', route);
  // The routes say "100 Continue" themselves, after they have seen the head.
  server.on('checkContinue', route);
  server.on('clientError', refuseGarbage);
  const webSocket = doors.attachWebSocket(server);
  await startListening(server, host, port);

  return {
    url: urlOf(host, server.address() as AddressInfo),
    async stop(graceMs) {
      isStopping = true;
      onStopping();
      await settled(inFlight, graceMs);
      server.close();
      await webSocket.close();
      slowBodies.stop();
      slowReaders.stop();
      server.closeAllConnections();
    },
  };

  function route(request: IncomingMessage, response: ServerResponse): void {
    const requestId = randomUUID();
    response.setHeader('X-Request-Id', requestId);
    const url = parseUrl(request);
    setSafeHeaders(response, url?.pathname ?? '');
    if (crossOrigin.answer(request, response)) return;
    const requestLog = log.child({ requestId, method: request.method, path: url?.pathname });
    slowReaders.watch(response, requestLog);
    if (url === null) {
      refuse(response, new DomainError('BAD_USER_INPUT', 'The request has no valid path.'), requestLog);
      return;
    }

    const work = dispatch(request, response, { url, requestId, log: requestLog });
    if (work === undefined) return;
    inFlight.add(work);
    work
      .catch((error: unknown) => sendError(response, error, requestLog))
      .finally(() => inFlight.delete(work));
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
      if (isStopping) {
        response.setHeader('Connection', 'close');
        refuse(response, new DomainError('UNAVAILABLE', 'The server is stopping; try again.'), requestLog);
        return undefined;
      }
      const controller = new AbortController();
      uploading.set(request.socket, controller);
      return doors.upload(request, response, { url, signal: controller.signal, log: requestLog });
    }
    slowBodies.watch(request, response, requestLog);
    if (request.headers.expect !== undefined) response.writeContinue();
    if (path === '/graphql') {
      // Yoga answers on its own; a subscription lasts as long as its client, so a stop does not wait for it.
      doors.graphql(request, response, requestId);
      return undefined;
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
    if (!socket.writable) return;
    const { status, message } = GARBAGE[error.code ?? ''] ?? NO_HTTP;
    const body = `${JSON.stringify(errorBody('BAD_USER_INPUT', message))}\n`;
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${SAFE_HEADER_LINES}Connection: close\r\n\r\n${body}`,
    );
  }
}

const NO_HTTP = { status: '400 Bad Request', message: 'This is not a valid HTTP request.' };

/** By the code that Node gives to what it could not make a request of. */
const GARBAGE: Readonly<Record<string, typeof NO_HTTP>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    message: 'The request head is too large.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', message: 'The request came too slowly.' },
};

const DOWNLOAD = /^\/api(?:\/devices\/(?<device>[^/]+))?\/coredumps\/(?<id>[^/]+)\/download$/;

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

function parseUrl(request: IncomingMessage): URL | null {
  try {
    return new URL(request.url ?? '', 'http://localhost');
  } catch {
    return null;
  }
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

async function startListening(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function urlOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function settled(work: ReadonlySet<Promise<unknown>>, graceMs: number): Promise<void> {
  if (work.size === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([Promise.allSettled(work), grace]);
  clearTimeout(timer);
}
