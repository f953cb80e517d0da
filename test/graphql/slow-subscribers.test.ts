import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/app.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

/** More than may wait for one subscriber. */
const FLOOD = 3_000;
const SOON = async () => {};

const TRANSPORTS = {
  SSE: ({ url }: GraphQLEndpoint) => createSseClient({ url, retry: SOON }),
  WebSocket: ({ webSocketUrl: url }: GraphQLEndpoint) =>
    createWebSocketClient({ url, webSocketImpl: WebSocket, retryWait: SOON }),
};

it.each(['SSE', 'WebSocket'] as const)(
  'a client over %s that falls behind is subscribed again, and not told that it was all',
  async (transport) => {
    const endpoint = await aGraphQLEndpoint();
    const dump = await endpoint.fleet.aDump(await endpoint.fleet.aDevice(await endpoint.fleet.aModel()), {});
    const row = await endpoint.coredumps.get(dump.id);
    if (row === null) throw new Error('the dump was made');
    const client = TRANSPORTS[transport](endpoint);
    onTestFinished(() => void client.dispose());
    const ended: string[] = [];
    let seen = 0;
    client.subscribe(
      { query: 'subscription { parseStatus { id } }' },
      {
        next: () => void seen++,
        error: (error) => void ended.push(String(error)),
        complete: () => void ended.push('complete'),
      },
    );
    await eventually(async () => endpoint.events.subscriberCount() === 1, 'it is subscribed');

    for (let n = 1; n <= FLOOD; n++) endpoint.events.publish({ ...row, parseGeneration: n });
    expect(endpoint.events.subscriberCount()).toBe(0);
    await eventually(async () => endpoint.events.subscriberCount() === 1, 'it is subscribed again');
    const before = seen;
    endpoint.events.publish({ ...row, parseGeneration: FLOOD + 1 });
    await eventually(async () => seen > before, 'it is told again');

    expect(ended).toEqual([]);
  },
);
