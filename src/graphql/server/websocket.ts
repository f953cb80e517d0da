import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, GraphQLError, getOperationAST } from 'graphql';
import type { ConnectionInitMessage, OperationResult } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import type { YogaServerInstance } from 'graphql-yoga';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Gatekeeper } from '../../auth/gatekeeper.js';
import { type Person, tokenHasEnded } from '../../auth/principal.js';
import { DomainError } from '../../errors.js';
import type { Clock } from '../../platform/clock.js';
import type { ClientAddress } from '../../platform/http/client-address.js';
import { between, joined, longJson } from '../limits/long-data.js';
import type { Delivery } from './delivery.js';
import { MAX_JSON_BYTES } from './json-limits.js';
import { documentOf, type PersistedDocuments } from './persisted-documents.js';
import { shownResult } from './sse.js';
import { RETRY_AFTER_SECONDS, type Streams, tooManyStreams } from './stream-limits.js';
import { limitMessages, refusalOfOperation } from './websocket-limits.js';

/** How long a client may take to say goodbye when the server stops. */
const GOODBYE_MS = 1_000;
/** The longest that a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Close codes: of graphql-transport-ws for who is not let in, and the standard's that make clients come again. */
const [UNAUTHORIZED, FORBIDDEN, SERVICE_RESTART, TRY_AGAIN_LATER] = [4401, 4403, 1012, 1013];

/** Runs work under the request id of one operation. */
type Scope = <T>(work: () => T) => T;

export interface WebSocketTransport {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Whether a query or mutation runs. */
  isBusy(): boolean;
  /** Tells all clients to come again; nobody is let in any more. */
  close(): Promise<void>;
}

/** An operation as it came. */
interface Asked {
  id: string;
  params: {
    query: string;
    operationName?: string | null | undefined;
    variables?: Record<string, unknown> | null | undefined;
    extensions?: Record<string, unknown> | null | undefined;
  };
  scope: Scope;
  delivery: Delivery;
}

/** What graphql-ws is to do with the arguments that it was given. */
interface Operation {
  execute(): OperationResult;
  subscribe(): OperationResult;
}

/** What is to be done when an answer has been sent, by the id of its operation. */
type Sending = Map<string, Array<() => void>>;

/**
 * Speaks `graphql-transport-ws` on `/graphql`. Operations go through Yoga's own pipeline, so masking and
 * every plugin hold here too.
 *
 * @param gatekeeper checks the credentials of a connection when it begins; it ends with them
 * @param openScope gives an operation a request id of its own
 * @param mask called inside the operation's scope
 */
export function serveWebSocket<ServerContext extends object, Context extends object>(
  yoga: YogaServerInstance<ServerContext, Context>,
  {
    gatekeeper,
    clock,
    openScope,
    mask,
    persisted,
    isForeign,
    clientAddress,
    streams,
    onRefusal,
  }: {
    gatekeeper: Pick<Gatekeeper, 'admit' | 'hold'>;
    clock: Pick<Clock, 'now'>;
    openScope: (person: Person, request: IncomingMessage) => Scope;
    mask: (error: unknown) => GraphQLError;
    persisted: PersistedDocuments | null;
    isForeign: (request: IncomingMessage) => boolean;
    clientAddress: ClientAddress;
    streams: Streams;
    onRefusal: (limit: string) => void;
  },
): WebSocketTransport {
  const operations = new WeakMap<ExecutionArgs, Operation>();
  /** Queries and mutations that run on a socket, by their ids. */
  const running = new Map<WebSocket, Set<string>>();
  let isClosing = false;
  const sendingOf = new WeakMap<WebSocket, Sending>();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_JSON_BYTES });
  const disposable = useServer<ConnectionInitMessage['payload'], { person: Person }>(
    {
      async onConnect({ connectionParams, extra }) {
        try {
          const { authorization } = extra.request.headers;
          extra.person = await gatekeeper.admit(
            clientAddress(extra.request),
            authorizationOf(connectionParams) ?? authorization,
          );
          endWithToken(extra.socket, extra.person);
          return true;
        } catch (error) {
          turnAway(extra.socket, error);
          return false;
        }
      },
      onSubscribe: ({ extra, subscriptions }, id, params) => {
        const refusal = refusalOfOperation(Object.keys(subscriptions).length);
        if (refusal !== null) {
          onRefusal('operations');
          return [new GraphQLError(refusal, { extensions: { code: 'RATE_LIMITED', limit: 'operations' } })];
        }
        if (extra.person === undefined)
          throw new Error('an operation came before its connection was admitted');
        const scope = openScope(extra.person, extra.request);
        const delivery = deliveryOf(extra.socket, id);
        return scope(() => prepare(extra, { id, params, scope, delivery }));
      },
      onComplete({ extra }, id) {
        running.get(extra.socket)?.delete(id);
        sent(extra.socket, id);
      },
      execute: (args) => operationOf(args).execute(),
      subscribe: (args) => operationOf(args).subscribe(),
      // Else it tells clients the text of errors that nobody expected.
      isProd: true,
    },
    sockets,
  );

  return {
    upgrade,
    isBusy: () => [...running.values()].some((ids) => ids.size > 0),
    async close() {
      isClosing = true;
      // graphql-ws would say 1001, which some clients take for the end.
      for (const client of sockets.clients) client.close(SERVICE_RESTART, 'the server restarts');
      const goodbye = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, GOODBYE_MS);
      await disposable.dispose();
      clearTimeout(goodbye);
    },
  };

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url?.split('?')[0] !== '/graphql' || isForeign(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    const address = clientAddress(request);
    gatekeeper.hold(address).then(
      () => open(request, { socket, head, address }),
      (error: unknown) => sendTooMany(socket, mask(error).message, retryAfterOf(error)),
    );
  }

  function open(
    request: IncomingMessage,
    { socket, head, address }: { socket: Duplex; head: Buffer; address: string },
  ): void {
    if (isClosing) {
      socket.destroy();
      return;
    }
    const close = streams.open(address);
    if (close === null) {
      sendTooMany(socket, tooManyStreams(streams));
      return;
    }
    socket.once('close', close);
    sockets.handleUpgrade(request, socket, head, (opened) => {
      running.set(opened, new Set());
      opened.once('close', () => running.delete(opened));
      sockets.emit('connection', opened, request);
      limitMessages(opened, onRefusal);
      // ws ends a connection for what a client sent wrong; graphql-ws would print a stack on top, for every one.
      opened.removeAllListeners('error').on('error', () => {});
    });
  }

  function endWithToken(socket: WebSocket, { until }: Person): void {
    if (until === null) return;
    let timer = setTimeout(check, 0);
    socket.on('close', () => clearTimeout(timer));

    function check(): void {
      const remainingMs = (until?.getTime() ?? 0) - clock.now().getTime();
      if (remainingMs <= 0) turnAway(socket, tokenHasEnded());
      else timer = setTimeout(check, Math.min(remainingMs, MAX_TIMER_MS));
    }
  }

  /** The reason is all that a client sees of it. */
  function turnAway(socket: WebSocket, error: unknown): void {
    const { message } = mask(error);
    const code = error instanceof DomainError ? error.code : undefined;
    const passes = code === 'UNAVAILABLE' || code === 'RATE_LIMITED';
    const closeCode = code === 'UNAUTHENTICATED' ? UNAUTHORIZED : passes ? TRY_AGAIN_LATER : FORBIDDEN;
    // A close frame holds no more than 123 bytes of it.
    socket.close(closeCode, Buffer.from(message).subarray(0, 120).toString());
  }

  async function prepare(
    { request: req, socket }: { request: IncomingMessage; socket: WebSocket },
    { id, params, scope, delivery }: Asked,
  ): Promise<ExecutionArgs | GraphQLError[]> {
    const pipeline = yoga.getEnveloped({ req, params, delivery });
    try {
      const named =
        persisted === null ? null : documentOf(persisted, { extensions: params.extensions ?? {} });
      const document = pipeline.parse(named ?? params.query);
      const errors: readonly GraphQLError[] = pipeline.validate(pipeline.schema, document);
      if (errors.length > 0) return errors.map(mask);
      const operation = getOperationAST(document, params.operationName);
      if (operation == null) {
        return [mask(new GraphQLError('Say by operationName which operation of the document to run.'))];
      }
      const args: ExecutionArgs = {
        schema: pipeline.schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: await pipeline.contextFactory(),
      };
      operations.set(args, {
        async execute() {
          const result: ExecutionResult = await scope(() => pipeline.execute(args));
          const { data, ...others } = shownResult(result);
          const json = longJson(data, others);
          return json === null ? result : sendAsText(socket, id, json);
        },
        async subscribe() {
          const result: Awaited<OperationResult> = await scope(() => pipeline.subscribe(args));
          return Symbol.asyncIterator in result ? inScope(scope, untilBehind(result, socket)) : result;
        },
      });
      if (operation.operation !== 'subscription') running.get(socket)?.add(id);
      return args;
    } catch (error) {
      return [mask(error)];
    }
  }

  /** As graphql-ws would send it, which would make a text of what is one. @returns what is left for graphql-ws to send */
  async function sendAsText(
    socket: WebSocket,
    id: string,
    json: AsyncIterable<Uint8Array>,
  ): Promise<OperationResult> {
    const message = between(`{"id":${JSON.stringify(id)},"type":"next","payload":`, json, '}');
    const bytes = await joined(message);
    if (running.get(socket)?.has(id) === true) socket.send(bytes, { binary: false });
    return nothing();
  }

  /** Who has fallen behind must come again to see the present: ended by "complete" a client would think it was all. */
  function untilBehind<Item>(items: AsyncIterable<Item>, socket: WebSocket): AsyncIterableIterator<Item> {
    const iterator = items[Symbol.asyncIterator]();
    return {
      async next() {
        try {
          return await iterator.next();
        } catch (error) {
          if (!(error instanceof GraphQLError) || error.extensions.code !== 'RATE_LIMITED') throw error;
          socket.close(TRY_AGAIN_LATER, error.message);
          return { done: true, value: undefined };
        }
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** graphql-ws completes an operation when its answer has been sent; or the socket closes. */
  function deliveryOf(socket: WebSocket, id: string): Delivery {
    const sending: Sending = sendingOf.get(socket) ?? new Map();
    if (!sendingOf.has(socket)) {
      sendingOf.set(socket, sending);
      socket.once('close', () => {
        for (const open of sending.keys()) sent(socket, open);
      });
    }
    return {
      whenDone(work) {
        if (socket.readyState === socket.CLOSED) work();
        else sending.set(id, [...(sending.get(id) ?? []), work]);
      },
      cut: () => socket.terminate(),
    };
  }

  function sent(socket: WebSocket, id: string): void {
    const works = sendingOf.get(socket)?.get(id) ?? [];
    sendingOf.get(socket)?.delete(id);
    for (const work of works) work();
  }

  /** graphql-ws hands the arguments that `prepare` made to execute and subscribe. */
  function operationOf(args: ExecutionArgs): Operation {
    const operation = operations.get(args);
    if (operation === undefined) throw new Error('an operation was run that was not prepared');
    return operation;
  }
}

async function* nothing(): AsyncGenerator<never> {}

/** Refuses an upgrade before there is a WebSocket that could be closed with a reason. */
function sendTooMany(socket: Duplex, message: string, retryAfterSeconds = RETRY_AFTER_SECONDS): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 429 Too Many Requests\r\nRetry-After: ${retryAfterSeconds}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function retryAfterOf(error: unknown): number | undefined {
  return error instanceof DomainError ? error.retryAfterSeconds : undefined;
}

/** As browsers send it, who cannot set headers on a WebSocket. */
function authorizationOf(connectionParams: Record<string, unknown> | undefined): string | undefined {
  const value = connectionParams?.authorization ?? connectionParams?.Authorization;
  return typeof value === 'string' ? value : undefined;
}

/** Each event is worked on when graphql-ws asks for it, which is outside the scope that the operation began in. */
function inScope<Item>(scope: Scope, items: AsyncIterable<Item>): AsyncIterableIterator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  return {
    next: () => scope(() => iterator.next()),
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
