import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { badInput, DomainError } from '../errors.js';
import type { AllowedHosts } from '../platform/http/allowed-hosts.js';
import { removeBasePath } from '../platform/http/base-path.js';
import { readTarget } from '../platform/http/request-target.js';
import type { Logger } from '../platform/logger.js';
import { hasBody } from './body.js';
import type { watchSlowBodies } from './connection-limits.js';
import type { CrossOrigin } from './cors.js';
import { sendError } from './errors.js';
import type { Exchange } from './exchange.js';
import { refuseMethod, refuseUnread, refuseWhileStopping } from './refusals.js';
import type { RequestsInFlight } from './requests-in-flight.js';
import type { RouteMatch, RouteTable } from './route-table.js';
import type { Route } from './routes.js';
import { NOTHING_POLICY, setSafeHeaders } from './security-headers.js';
import type { SettingWarnings } from './setting-warnings.js';
import type { watchSlowReaders } from './slow-readers.js';

export interface DispatchDeps {
  routes: RouteTable;
  /** Path below which people reach the server; empty at the root. */
  basePath: string;
  allowedHosts: AllowedHosts;
  settingWarnings: SettingWarnings;
  crossOrigin: CrossOrigin;
  slowBodies: ReturnType<typeof watchSlowBodies>;
  slowReaders: ReturnType<typeof watchSlowReaders>;
  inFlight: RequestsInFlight;
  /** By socket: the upload that it is sending, to be aborted when the bytes that follow are not valid HTTP. */
  streaming: Pick<WeakMap<Duplex, AbortController>, 'set'>;
  isStopping: () => boolean;
  log: Logger;
}

/** Passes each request to the handler of its route. */
export function createDispatch({
  routes,
  basePath,
  allowedHosts,
  settingWarnings,
  crossOrigin,
  slowBodies,
  slowReaders,
  inFlight,
  streaming,
  isStopping,
  log: serverLog,
}: DispatchDeps) {
  return function dispatch(request: IncomingMessage, response: ServerResponse): void {
    const requestId = randomUUID();
    response.setHeader('X-Request-Id', requestId);
    removeBasePath(request, basePath);
    const target = readTarget(request);
    const match = target === null ? null : routes.find(target.path);
    setSafeHeaders(response, match?.route.contentPolicy ?? NOTHING_POLICY);
    const form = match?.route.errors ?? 'rest';
    const refusal = allowedHosts.refusalOf(request, target);
    if (refusal !== null) {
      if (refusal.status === 421) settingWarnings.note(refusal.message);
      refuseUnread(request, response, refusal, form);
      return;
    }
    const log = serverLog.child({ requestId, method: request.method, path: target?.path });
    const embedded = crossOrigin.refusalOfEmbedded(request);
    if (embedded !== null) {
      sendError(response, new DomainError('FORBIDDEN', embedded), log, { form });
      return;
    }
    if (crossOrigin.answer(request, response)) return;
    slowReaders.watch(response, log);
    if (target === null || match === null) {
      sendError(response, badInput('The path of the request is not valid.'), log);
      return;
    }
    if (isStopping() && !match.route.isAnsweredDuringStop) {
      refuseWhileStopping(request, response, form);
      return;
    }
    const { path, search } = target;
    const work = answer({ request, response, path, search, requestId, log }, match);
    inFlight.begin(response, work);
  };

  async function answer(exchange: Exchange, { route, parameters }: RouteMatch): Promise<void> {
    try {
      await handled(exchange, route, parameters);
    } catch (error) {
      sendError(exchange.response, error, exchange.log, { form: route.errors });
    }
  }

  function handled(exchange: Exchange, route: Route, parameters: readonly string[]): unknown {
    const { request, response, log } = exchange;
    if (route.methods !== 'any' && !route.methods.some((method) => method === request.method)) {
      return refuseMethod(response, route.methods, route.errors);
    }
    const foreign = isForUploads(route) ? crossOrigin.refusalOf(request) : null;
    if (foreign !== null) {
      settingWarnings.note(foreign);
      throw new DomainError('FORBIDDEN', foreign);
    }
    // Most boot reports have no body; nothing of them can be aborted.
    if (route.body === 'streamed' && !hasBody(request))
      return route.handle({ ...exchange, signal: NEVER_ABORTED }, parameters);
    if (route.body === 'streamed') {
      const controller = new AbortController();
      streaming.set(request.socket, controller);
      return route.handle({ ...exchange, signal: controller.signal }, parameters);
    }
    slowBodies.watch(request, response, log, route.errors);
    if (request.headers.expect !== undefined) response.writeContinue();
    return route.handle(exchange, parameters);
  }
}

const NEVER_ABORTED = new AbortController().signal;

function isForUploads({ access }: Route): boolean {
  return access === 'devices' || access === 'uploaders';
}
