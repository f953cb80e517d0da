import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import type { ConnectionInitMessage } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import type { YogaServerInstance } from 'graphql-yoga';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Gatekeeper } from '../../auth/gatekeeper.js';
import { DomainError } from '../../errors.js';
import type { Clock } from '../../platform/clock.js';
import type { ClientAddress } from '../../platform/http/client-address.js';
import { answerOnSocket, RETRY_AFTER_SECONDS } from '../../platform/http/send-json.js';
import type { Admitted } from './authentication.js';
import { MAX_JSON_BYTES } from './json-limits.js';
import type { PersistedDocuments } from './persisted-documents.js';
import { type Streams, tooManyStreams } from './stream-limits.js';
import {
  closeAtEndOfSession,
  closeAtEndOfToken,
  closeRefused,
  SERVICE_RESTART,
} from './websocket-closing.js';
import { limitMessages, refusalOfOperation } from './websocket-limits.js';
import { createOperations, type Scope } from './websocket-operations.js';

/** Time for the clients' close frames when the server stops. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface WebSocketTransport {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Whether a query or mutation runs. */
  isBusy(): boolean;
  /** Asks all clients to reconnect, and admits no new ones. */
  close(): Promise<void>;
}

/**
 * Serves `graphql-transport-ws` on `/graphql`. Operations run through Yoga's pipeline, so masking and every plugin
 * apply to them too.
 *
 * @param gatekeeper checks the credentials of a connection when it opens; the connection ends when they expire
 * @param openScope gives an operation its own request id
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
    sessionOf,
    refusalOfOrigin,
    clientAddress,
    streams,
    onRefusal,
  }: {
    gatekeeper: Pick<Gatekeeper, 'isOn' | 'admit' | 'admitForLong' | 'hold'>;
    clock: Pick<Clock, 'now'>;
    openScope: (admitted: Admitted, request: IncomingMessage) => Scope;
    mask: (error: unknown) => GraphQLError;
    persisted: PersistedDocuments | null;
    /** The secret of the cookie that came with the upgrade, where it counts. */
    sessionOf: (request: IncomingMessage) => string | undefined;
    refusalOfOrigin: (request: IncomingMessage) => string | null;
    clientAddress: ClientAddress;
    streams: Streams;
    onRefusal: (limit: string) => void;
  },
): WebSocketTransport {
  const operations = createOperations(yoga, { mask, persisted });
  let isClosing = false;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_JSON_BYTES });
  const disposable = useServer<ConnectionInitMessage['payload'], Partial<Admitted>>(
    {
      async onConnect({ connectionParams, extra }) {
        try {
          Object.assign(extra, await admit(extra, connectionParams ?? undefined));
          return true;
        } catch (error) {
          closeRefused(extra.socket, error, mask);
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
        const { person, session } = extra;
        const scope = openScope({ person, session }, extra.request);
        return scope(() => operations.prepare(extra, { id, params, scope }));
      },
      onComplete: ({ extra }, id) => operations.complete(extra.socket, id),
      execute: (args) => operations.prepared(args).execute(),
      subscribe: (args) => operations.prepared(args).subscribe(),
      // Otherwise graphql-ws shows clients the text of unexpected errors.
      isProd: true,
    },
    sockets,
  );

  return {
    upgrade,
    isBusy: operations.isBusy,
    async close() {
      isClosing = true;
      // graphql-ws would send 1001, after which some clients do not reconnect.
      for (const client of sockets.clients) client.close(SERVICE_RESTART, 'the server restarts');
      const timer = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, CLOSE_TIMEOUT_MS);
      await disposable.dispose();
      clearTimeout(timer);
    },
  };

  /** A token counts more than the session of the browser. */
  async function admit(
    { request, socket }: { request: IncomingMessage; socket: WebSocket },
    connectionParams: Record<string, unknown> | undefined,
  ): Promise<Admitted> {
    const authorization = authorizationOf(connectionParams) ?? request.headers.authorization;
    const secret = authorization === undefined ? sessionOf(request) : undefined;
    if (!gatekeeper.isOn || secret === undefined) {
      const person = await gatekeeper.admit(clientAddress(request), authorization);
      closeAtEndOfToken(socket, person, { clock, mask });
      return { person };
    }
    const session = await gatekeeper.admitForLong(secret);
    closeAtEndOfSession(socket, session, mask);
    return { person: session.person, session };
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url?.split('?')[0] !== '/graphql') {
      refuseUpgrade(socket, { status: 403, message: 'WebSockets are at /graphql only.' });
      return;
    }
    const foreign = refusalOfOrigin(request);
    if (foreign !== null) {
      refuseUpgrade(socket, { status: 403, message: foreign });
      return;
    }
    const address = clientAddress(request);
    // Who is signed in is not locked out by what others of the address guess.
    const held = sessionOf(request) === undefined ? gatekeeper.hold(address) : Promise.resolve();
    held.then(
      () => open(request, { socket, head, address }),
      (error: unknown) =>
        refuseUpgrade(socket, { message: mask(error).message, retryAfterSeconds: retryAfterOf(error) }),
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
      refuseUpgrade(socket, { message: tooManyStreams(streams) });
      return;
    }
    socket.once('close', close);
    sockets.handleUpgrade(request, socket, head, (opened) => begin(opened, request));
  }

  function begin(socket: WebSocket, request: IncomingMessage): void {
    operations.follow(socket);
    sockets.emit('connection', socket, request);
    limitMessages(socket, onRefusal);
    // ws closes a connection after a client's protocol error; without a listener graphql-ws would also log a stack
    // trace.
    socket.removeAllListeners('error').on('error', () => {});
  }
}

/** Refuses an upgrade by HTTP, before there is a WebSocket that could be closed with a reason. */
function refuseUpgrade(
  socket: Duplex,
  {
    status = 429,
    message,
    retryAfterSeconds = RETRY_AFTER_SECONDS,
  }: { status?: 403 | 429; message: string; retryAfterSeconds?: number | undefined },
): void {
  const retry = status === 429 ? `Retry-After: ${retryAfterSeconds}\r\n` : '';
  const headers = `${retry}Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n`;
  answerOnSocket(socket, { status, headers, body: `${message}\n` });
}

function retryAfterOf(error: unknown): number | undefined {
  return error instanceof DomainError ? error.retryAfterSeconds : undefined;
}

/** The token in `connectionParams`: browsers cannot set headers on a WebSocket. */
function authorizationOf(connectionParams: Record<string, unknown> | undefined): string | undefined {
  const value = connectionParams?.authorization ?? connectionParams?.Authorization;
  return typeof value === 'string' ? value : undefined;
}
