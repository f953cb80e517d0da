import { createClient as createSocket } from 'graphql-ws';
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from 'urql';
import { authorization } from './session';

export type ConnectionState = 'connecting' | 'live' | 'lost';

/** The state of the WebSocket, for whoever wants to show it or to read again what it may have missed. */
export interface Connection {
  state(): ConnectionState;
  onChange(listener: () => void): () => void;
}

/** Pings find out within this time that the server has gone without a word. */
const KEEP_ALIVE_MS = 10_000;
const RETRY_MAX_MS = 5_000;

/** Queries and mutations over HTTP, subscriptions over one WebSocket, both with the session's token. */
export function createApi(): { client: Client; connection: Connection } {
  const { socket, connection } = connect();
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetchOptions: () => {
      const value = authorization();
      // Kept alive: a deletion that is still to be sent when the page is closed arrives nevertheless.
      return { keepalive: true, ...(value === null ? {} : { headers: { authorization: value } }) };
    },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query, variables: variables ?? {} },
              { ...sink, next: ({ data = null, errors = [] }) => sink.next({ data, errors: [...errors] }) },
            ),
          }),
        }),
      }),
    ],
  });
  return { client, connection };
}

function connect() {
  let state: ConnectionState = 'connecting';
  const listeners = new Set<() => void>();
  const become = (next: ConnectionState) => {
    state = next;
    for (const listener of listeners) listener();
  };

  const url = new URL('/graphql', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = createSocket({
    url: url.href,
    connectionParams: () => {
      const value = authorization();
      return value === null ? {} : { authorization: value };
    },
    keepAlive: KEEP_ALIVE_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (retries) => pause(Math.min(RETRY_MAX_MS, 250 * 2 ** retries) * (0.75 + Math.random() / 2)),
    on: {
      connected: () => become('live'),
      closed: () => become('lost'),
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
