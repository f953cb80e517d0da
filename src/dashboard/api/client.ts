import { createClient as createSocket } from 'graphql-ws';
import {
  Client,
  type CombinedError,
  cacheExchange,
  fetchExchange,
  mapExchange,
  subscriptionExchange,
} from 'urql';
import { withBase } from '../base-path';
import { askAgain, untilUnlocked } from '../session/session';

export type ConnectionState = 'connecting' | 'live' | 'lost';

/** The state of the WebSocket, which the page shows. */
export interface Connection {
  state(): ConnectionState;
  onChange(listener: () => void): () => void;
}

/** Timeout of pings, which detect a server that is gone without having closed the connection. */
const KEEP_ALIVE_MS = 10_000;
const RETRY_MAX_MS = 5_000;
/** The server's close codes: for nobody who is signed in, and for a session that has ended. */
const [UNAUTHORIZED, ENDED] = [4401, 4403];

/** For an operation that sends a file: browsers do not let one outlive its page (`keepalive` below). */
export const WITH_FILE = { fetchOptions: { keepalive: false } };

/** Where crashEvents continues after a break. */
function createContinuation() {
  let cursor: string | null = null;
  return {
    /** The socket sends it again whenever it connects: then from the last event that was received. */
    continued: (query: string, variables: Record<string, unknown>) => ({
      query,
      get variables() {
        return 'since' in variables ? { ...variables, since: cursor } : variables;
      },
    }),
    noteCursor(data: Record<string, unknown> | null, errors: readonly object[]): void {
      const event = data?.crashEvents;
      if (
        typeof event === 'object' &&
        event !== null &&
        'cursor' in event &&
        typeof event.cursor === 'string'
      ) {
        cursor = event.cursor;
      } else if (errors.length > 0) {
        // Perhaps the cursor is of another version of the server.
        cursor = null;
      }
    },
  };
}

/** Queries and mutations over HTTP, subscriptions over one WebSocket, both with the cookie of the session. */
export function createApi(): { client: Client; connection: Connection; close(): void } {
  const { socket, connection } = connect();
  const { continued, noteCursor } = createContinuation();
  const client = new Client({
    url: withBase('/graphql'),
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    // keepalive: a deletion that is sent while the page closes still arrives.
    fetchOptions: { keepalive: true },
    exchanges: [
      mapExchange({
        // urql forgets the error of an answer while the same question is asked again, but not its data.
        onResult: (result) =>
          result.operation.kind === 'query' && hasFailed(result.data, result.error)
            ? { ...result, data: undefined }
            : result,
        onError({ response }) {
          if (response?.status === 401) void askAgain();
        },
      }),
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(continued(query, variables ?? {}), {
              ...sink,
              next({ data = null, errors = [] }) {
                noteCursor(data, errors);
                // An empty list is an error for urql.
                sink.next({ data, ...(errors.length > 0 ? { errors: [...errors] } : {}) });
              },
            }),
          }),
        }),
      }),
    ],
  });
  return {
    client,
    connection,
    close() {
      // An open attempt fails here when the session ends meanwhile; the connection is not needed any more.
      Promise.resolve(socket.dispose()).catch(() => {});
    },
  };
}

/** Whether a root field of the answer failed: its null is not an answer. */
function hasFailed(data: object | null | undefined, error: CombinedError | undefined): boolean {
  const failed = new Set(error?.graphQLErrors.map(({ path }) => path?.[0]));
  return Object.entries(data ?? {}).some(([root, value]) => value === null && failed.has(root));
}

function connect() {
  let state: ConnectionState = 'connecting';
  const listeners = new Set<() => void>();
  const become = (next: ConnectionState) => {
    state = next;
    for (const listener of listeners) listener();
  };

  const url = new URL(withBase('/graphql'), window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = createSocket({
    // A page whose session has ended waits, and continues when somebody has signed in, in whichever tab.
    url: async () => {
      await untilUnlocked();
      return url.href;
    },
    keepAlive: KEEP_ALIVE_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (retries) => pause(Math.min(RETRY_MAX_MS, 250 * 2 ** retries) * (0.75 + Math.random() / 2)),
    on: {
      connected: () => become('live'),
      closed(event) {
        become('lost');
        if (!(event instanceof CloseEvent)) return;
        if (event.code === UNAUTHORIZED || event.code === ENDED) void askAgain();
      },
    },
  });
  const connection: Connection = {
    state: () => state,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { socket, connection };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
