import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/app.js';
import { aGraphQLDoor, type GraphQLDoor } from '../support/graphql-server.js';

/** More than may wait for one subscriber. */
const FLOOD = 3_000;
const SOON = async () => {};

const TRANSPORTS = {
  SSE: ({ url }: GraphQLDoor) => createSseClient({ url, retry: SOON }),
  WebSocket: ({ webSocketUrl: url }: GraphQLDoor) =>
    createWebSocketClient({ url, webSocketImpl: WebSocket, retryWait: SOON }),
};

it.each(['SSE', 'WebSocket'] as const)(
  'a client over %s that falls behind is subscribed again, and not told that it was all',
  async (transport) => {
    const door = await aGraphQLDoor();
    const dump = await door.fleet.aDump(await door.fleet.aDevice(await door.fleet.aModel()), {});
    const row = await door.coredumps.get(dump.id);
    if (row === null) throw new Error('the dump was made');
    const client = TRANSPORTS[transport](door);
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
    await eventually(async () => door.events.subscriberCount() === 1, 'it is subscribed');

    for (let n = 1; n <= FLOOD; n++) door.events.publish({ ...row, parseGeneration: n });
    expect(door.events.subscriberCount()).toBe(0);
    await eventually(async () => door.events.subscriberCount() === 1, 'it is subscribed again');
    const before = seen;
    door.events.publish({ ...row, parseGeneration: FLOOD + 1 });
    await eventually(async () => seen > before, 'it is told again');

    expect(ended).toEqual([]);
  },
);
