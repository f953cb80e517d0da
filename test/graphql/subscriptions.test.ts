import { connect } from 'node:net';
import { print } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { graphql } from '../generated/gql.js';
import type { FollowSubscription, FollowSubscriptionVariables } from '../generated/graphql.js';
import { eventually } from '../support/app.js';
import { type AnswerError, aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const FOLLOW = graphql(`
  subscription Follow($dump: ID, $device: ID) {
    parseStatus(coredumpId: $dump, deviceId: $device) { id filename parseStatus }
  }
`);

const FOLLOW_TEXT = print(
  graphql(`
    subscription FollowText($dump: ID) { parseStatus(coredumpId: $dump) { parseStatus parsedOutput device { name } } }
  `),
);

interface Event<Data> {
  data?: Data | null;
  errors?: readonly AnswerError[];
}

/** Both speak to the same path; what they promise is the same. */
const TRANSPORTS = {
  SSE: ({ url }: GraphQLEndpoint) => createSseClient({ url, retryAttempts: 0 }),
  WebSocket: ({ webSocketUrl: url }: GraphQLEndpoint) =>
    createWebSocketClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 }),
};

describe.each(['SSE', 'WebSocket'] as const)('parseStatus over %s', (transport) => {
  it('begins with the current state of the dump, then tells each change', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await aParsedDump(endpoint);
    const events = follow(endpoint, { dump: dump.globalId });

    expect(await statusOf(events)).toBe('PARSED');
    await endpoint.coredumps.reparse(dump.id);
    expect(await statusOf(events)).toBe('PENDING');
  });

  it('tells of every dump of the fleet when none is named, arrivals included', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { device, dump } = await aParsedDump(endpoint);
    const events = follow(endpoint, {});
    await someoneListens(endpoint);

    const filename = await upload(endpoint, device.key);
    await endpoint.coredumps.reparse(dump.id);

    const arrival = await events.next();
    const change = await events.next();
    expect(arrival.value?.data?.parseStatus).toMatchObject({ filename, parseStatus: 'PENDING' });
    expect(change.value?.data?.parseStatus).toMatchObject({ id: dump.globalId, parseStatus: 'PENDING' });
  });

  it('tells of one device’s dumps only when a device is named', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { model, dump } = await aParsedDump(endpoint);
    const other = await endpoint.fleet.aDevice(model);
    const events = follow(endpoint, { device: other.globalId });
    await someoneListens(endpoint);

    await endpoint.coredumps.reparse(dump.id);
    const filename = await upload(endpoint, other.key);

    expect((await events.next()).value?.data?.parseStatus.filename).toBe(filename);
  });

  it('does not read a row again that the event has brought', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await aParsedDump(endpoint);
    const events = follow(endpoint, {});
    await someoneListens(endpoint);
    const row = await endpoint.coredumps.get(dump.id);
    if (row === null) throw new Error('the dump was made');

    const statements = await endpoint.statementsOf(async () => {
      endpoint.events.publish({ ...row, parseStatus: 'ERROR' });
      expect(await statusOf(events)).toBe('ERROR');
    });

    expect(statements).toEqual([]);
  });

  it('reads what is not in the event anew at each', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump, device } = await aParsedDump(endpoint);
    const events = TRANSPORTS[transport](endpoint).iterate({
      query: FOLLOW_TEXT,
      variables: { dump: dump.globalId },
    });
    onTestFinished(async () => void (await events.return?.()));
    const first = await events.next();

    await endpoint.db.device.update({ where: { id: device.id }, data: { name: 'Renamed' } });
    await endpoint.coredumps.reparse(dump.id);
    const second = await events.next();

    expect(first.value?.data).toEqual({
      parseStatus: { parseStatus: 'PARSED', parsedOutput: 'abort()', device: { name: null } },
    });
    expect(second.value?.data).toEqual({
      parseStatus: { parseStatus: 'PENDING', parsedOutput: null, device: { name: 'Renamed' } },
    });
  });

  it.each([
    ['no dump', async () => ({ dump: Buffer.from('Coredump:999').toString('base64') })],
    ['no id at all', async () => ({ dump: 'garbage' })],
    [
      'a dump of another device',
      async (endpoint: GraphQLEndpoint) => {
        const { dump, model } = await aParsedDump(endpoint);
        return { dump: dump.globalId, device: (await endpoint.fleet.aDevice(model)).globalId };
      },
    ],
  ])('is NOT_FOUND for %s, and nobody is left listening', async (_, variablesFor) => {
    const endpoint = await aGraphQLEndpoint();
    const events = follow(endpoint, await variablesFor(endpoint));

    const errors = await errorsOf(events);

    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(endpoint.events.subscriberCount()).toBe(0);
  });

  it('lets go of a client that ends its subscription', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await aParsedDump(endpoint);
    const events = follow(endpoint, { dump: dump.globalId });
    await events.next();
    expect(endpoint.events.subscriberCount()).toBe(1);

    await events.return?.();

    await eventually(async () => endpoint.events.subscriberCount() === 0, 'the subscription ended');
  });

  it('lets go of a client that vanishes before it took anything', async () => {
    const endpoint = await aGraphQLEndpoint();
    const events = follow(endpoint, {});
    await someoneListens(endpoint);

    await events.return?.();

    await eventually(async () => endpoint.events.subscriberCount() === 0, 'the subscription ended');
  });

  it('ends when the server stops', async () => {
    const endpoint = await aGraphQLEndpoint();
    const events = follow(endpoint, {});
    await someoneListens(endpoint);

    endpoint.events.close();

    expect(await events.next()).toMatchObject({ done: true });
  });

  it('masks what goes wrong in an event, under the request id that the log has too', async () => {
    const endpoint = await aGraphQLEndpoint();
    const { dump } = await aParsedDump(endpoint);
    const query = 'subscription { parseStatus { id device { coredumpCount } } }';
    const events = TRANSPORTS[transport](endpoint).iterate<never>({ query });
    onTestFinished(async () => void (await events.return?.()));
    await someoneListens(endpoint);
    const row = await endpoint.coredumps.get(dump.id);
    if (row === null) throw new Error('the dump was made');
    await endpoint.breakDatabase();

    endpoint.events.publish(row);
    const errors = await errorsOf(events);

    expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
    expect(JSON.stringify(errors)).not.toMatch(/SELECT|no such table/);
    expect(errors[0]?.extensions.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(endpoint.logged.map(({ requestId }) => requestId)).toContain(errors[0]?.extensions.requestId);
  });

  it.each([
    ['syntax', 'subscription {', 'BAD_USER_INPUT'],
    ['validation', 'subscription { nothing }', 'BAD_USER_INPUT'],
    ['length', `subscription { ${'__typename '.repeat(3_000)} }`, 'QUERY_TOO_COMPLEX'],
  ])('refuses a document for its %s', async (_, query, code) => {
    const endpoint = await aGraphQLEndpoint();

    const errors = await errorsOf(TRANSPORTS[transport](endpoint).iterate<never>({ query }));

    expect(errors).toMatchObject([{ extensions: { code } }]);
  });

  /** Typed, and ended with the test. */
  function follow(endpoint: GraphQLEndpoint, variables: FollowSubscriptionVariables) {
    const events = TRANSPORTS[transport](endpoint).iterate<FollowSubscription>({
      query: print(FOLLOW),
      variables,
    }) as AsyncIterableIterator<Event<FollowSubscription>>;
    onTestFinished(async () => void (await events.return?.()));
    return events;
  }
});

describe('a WebSocket', () => {
  it('carries queries and mutations as well', async () => {
    const endpoint = await aGraphQLEndpoint();
    const client = TRANSPORTS.WebSocket(endpoint);
    const query =
      'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { code } } }';

    const first = await client.iterate({ query }).next();
    const second = await client.iterate({ query }).next();

    expect(first.value?.data).toEqual({ createDeviceModel: { deviceModel: { code: 'pump' } } });
    expect(second.value?.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
  });

  it('wants to know which of two operations', async () => {
    const endpoint = await aGraphQLEndpoint();
    const query = 'query A { __typename } query B { __typename }';

    const errors = await errorsOf(TRANSPORTS.WebSocket(endpoint).iterate<never>({ query }));

    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it.each([
    ['another site', '/graphql', { Origin: 'https://evil.example' }],
    ['another path', '/else', {}],
  ])('is refused from %s', async (_, path, headers) => {
    const { webSocketUrl } = await aGraphQLEndpoint();
    const socket = new WebSocket(new URL(path, webSocketUrl), 'graphql-transport-ws', { headers });

    const error = await new Promise<Error>((resolve, reject) => {
      socket.on('error', resolve).on('open', () => reject(new Error('it was let in')));
    });

    expect(error.message).toContain('403');
  });

  it('does not hold up a stop when its client says no goodbye', { timeout: 15_000 }, async () => {
    const endpoint = await aGraphQLEndpoint();
    const { host, hostname, port } = new URL(endpoint.url);
    const silent = connect(Number(port), hostname);
    silent.on('error', () => {});
    silent.write(
      `GET /graphql HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await new Promise((resolve) => silent.once('data', resolve));

    await endpoint.closeWebSockets();

    silent.destroy();
  });

  it('ends for a message that is too long, and prints nothing', async () => {
    const printed = vi.spyOn(console, 'error');
    const { webSocketUrl } = await aGraphQLEndpoint();
    const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws');
    socket.on('open', () => socket.send('x'.repeat(300_000))).on('error', () => {});

    const code = await new Promise((resolve) => socket.on('close', resolve));

    expect(code).toBe(1009);
    expect(printed).not.toHaveBeenCalled();
  });
});

async function aParsedDump({ fleet, putFile }: GraphQLEndpoint) {
  const model = await fleet.aModel();
  const device = await fleet.aDevice(model);
  const dump = await fleet.aDump(device, { parseStatus: 'PARSED', output: 'abort()' });
  await putFile(device, dump);
  return { model, device, dump };
}

/** @returns the new dump's file name */
async function upload({ coredumps, devices }: GraphQLEndpoint, key: string): Promise<string> {
  const device = await devices.findByKey(key);
  if (device === null) throw new Error(`there is no device ${key}`);
  const { coredump } = await coredumps.save({
    device,
    chip: 'esp32',
    firmwareVersion: '1.0.0',
    idempotencyKey: null,
    body: (async function* () {
      yield Buffer.from(`dump of ${key}`);
    })(),
  });
  return coredump.filename;
}

async function someoneListens({ events }: GraphQLEndpoint): Promise<void> {
  await eventually(async () => events.subscriberCount() === 1, 'the subscription began');
}

async function statusOf(events: AsyncIterator<Event<FollowSubscription>>): Promise<string | undefined> {
  return (await events.next()).value?.data?.parseStatus.parseStatus;
}

/** As an event, or as the end of the operation: the transports differ in how they bring them. */
async function errorsOf(events: AsyncIterator<{ errors?: unknown }>): Promise<AnswerError[]> {
  try {
    return ((await events.next()).value?.errors ?? []) as AnswerError[];
  } catch (thrown) {
    if (Array.isArray(thrown)) return thrown;
    throw thrown;
  }
}
