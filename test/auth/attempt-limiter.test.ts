import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, aServer, bearer, stored, type TestApp } from '../support/app.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

/** One failure more than these, and an address is held back. */
const FAILURES = 3;

const aGuardedServer = (changes = {}) =>
  aServer(
    { ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: String(FAILURES), TRUSTED_PROXIES: 'loopback', ...changes },
    { token: ADMIN },
  );

const GUESSER = { 'X-Forwarded-For': '203.0.113.7' };
const WRONG = bearer('wrong');

type Endpoint = (app: TestApp, headers: Record<string, string>) => Promise<Response>;

const QUERY = JSON.stringify({ query: '{ __typename }' });
const SUBSCRIPTION = JSON.stringify({ query: 'subscription { parseStatus { id } }' });
const JSON_TYPE = { 'Content-Type': 'application/json' };

const ENDPOINTS: ReadonlyArray<readonly [string, Endpoint]> = [
  [
    'a query',
    ({ url }, headers) =>
      fetch(`${url}/graphql`, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: QUERY }),
  ],
  ['a query by GET', ({ url }, headers) => fetch(`${url}/graphql?query={__typename}`, { headers })],
  [
    'a subscription over SSE',
    async ({ url }, headers) => {
      const abort = new AbortController();
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        signal: abort.signal,
        headers: { ...JSON_TYPE, Accept: 'text/event-stream', ...headers },
        body: SUBSCRIPTION,
      });
      abort.abort();
      return response;
    },
  ],
  [
    'GraphiQL’s form',
    ({ url }, { Authorization: authorization = '', ...headers }) =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ token: authorization.replace('Bearer ', '') }),
        // A right token leads to the page, with the session's cookie, which only a browser takes along.
        redirect: 'manual',
      }),
  ],
  ['metrics', ({ url }, headers) => fetch(`${url}/metrics`, { headers })],
  ['the page’s question who asks', ({ url }, headers) => fetch(`${url}/api/config`, { headers })],
  ['a download', ({ url }, headers) => fetch(`${url}/api/coredumps/1/download`, { headers })],
];

describe('an address that tries tokens', () => {
  it.each(ENDPOINTS)(
    'is refused at the endpoint of %s, even with a right one, and others are not',
    async (_, knock) => {
      const app = await aGuardedServer();

      for (let guess = 0; guess < FAILURES; guess++) {
        expect((await knock(app, { ...GUESSER, ...WRONG })).status).toBe(401);
      }
      const refused = await knock(app, { ...GUESSER, ...bearer(VIEWER) });
      const other = await knock(app, bearer(VIEWER));

      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect([200, 303, 404]).toContain(other.status);
    },
  );

  it('is told why, as GraphQL tells it', async () => {
    const app = await aGuardedServer();
    const [, query] = ENDPOINTS[0] ?? [];
    const ask = () => query?.(app, { ...GUESSER, ...WRONG });
    for (let guess = 0; guess < FAILURES; guess++) await ask();

    expect(await (await ask())?.json()).toEqual({
      errors: [
        {
          message: expect.stringContaining('AUTH_FAILURES_PER_MINUTE'),
          extensions: { code: 'RATE_LIMITED' },
        },
      ],
    });
  });

  it('is refused at all of these endpoints when it tried at any', async () => {
    const app = await aGuardedServer({ AUTH_FAILURES_PER_MINUTE: String(ENDPOINTS.length) });

    for (const [, knock] of ENDPOINTS) await knock(app, { ...GUESSER, ...WRONG });

    for (const [what, knock] of ENDPOINTS) {
      expect((await knock(app, { ...GUESSER, ...bearer(VIEWER) })).status, what).toBe(429);
    }
    expect(await refusalOfUpgrade(app)).toEqual({ status: 429, retryAfter: expect.stringMatching(/^\d+$/) });
  });

  it('is counted by the WebSockets that it connects', async () => {
    const app = await aGuardedServer();
    const early = new WebSocket(socketUrl(app), 'graphql-transport-ws', { headers: GUESSER });
    await new Promise((resolve) => early.once('open', resolve));

    for (let guess = 0; guess < FAILURES; guess++) expect(await connect(app, 'wrong', GUESSER)).toBe(4401);
    // Who has a connection already does not get its token looked at either.
    early.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${VIEWER}` } }));
    const [code, reason] = await new Promise<[number, string]>((resolve) =>
      early.once('close', (code, reason) => resolve([code, String(reason)])),
    );

    expect(await refusalOfUpgrade(app)).toEqual({ status: 429, retryAfter: expect.stringMatching(/^\d+$/) });
    expect([code, reason]).toEqual([1013, expect.stringContaining('AUTH_FAILURES_PER_MINUTE')]);
    expect(await connect(app, VIEWER, {})).toBe('connected');
  });

  it('is counted by links to dumps that nobody gave out', async () => {
    const app = await aGuardedServer();
    const device = await aDevice(app);
    const { coredumpId } = await stored(app, 'dump', { headers: bearer(device.token) });
    const { coredump } = await app.graphql<{ coredump: { downloadUrl: string } }>(
      'query ($id: ID!) { coredump(id: $id) { downloadUrl } }',
      { id: coredumpId },
    );
    const follow = async (link: string, headers = GUESSER) =>
      (await fetch(app.url + link, { headers })).status;

    for (let guess = 0; guess < FAILURES; guess++) {
      expect(await follow(coredump.downloadUrl.replace(/.$/, guess % 2 === 0 ? '!' : '?'))).toBe(401);
    }

    expect(await follow(coredump.downloadUrl)).toBe(429);
    expect(await follow(coredump.downloadUrl, { 'X-Forwarded-For': '198.51.100.9' })).toBe(200);
  });
});

describe('not counted', () => {
  it('is who shows nothing, or is known and may not', async () => {
    const app = await aGuardedServer();
    const { token } = await aDevice(app);

    for (let visit = 0; visit < 2 * FAILURES; visit++) {
      for (const [, knock] of ENDPOINTS) {
        await knock(app, { ...GUESSER, Authorization: `Bearer ${token}` });
      }
      expect((await fetch(`${app.url}/metrics`, { headers: GUESSER })).status).toBe(401);
    }

    expect((await fetch(`${app.url}/metrics`, { headers: { ...GUESSER, ...bearer(VIEWER) } })).status).toBe(
      200,
    );
  });

  it('are devices that nobody has registered, where somebody is about to', async () => {
    const app = await aGuardedServer();
    const upload = () =>
      fetch(`${app.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=dev1`, {
        method: 'POST',
        headers: { ...GUESSER, ...WRONG },
        body: 'dump',
      });
    for (let dump = 0; dump < FAILURES; dump++) expect((await upload()).status).toBe(401);
    expect((await upload()).status).toBe(429);

    expect((await fetch(`${app.url}/metrics`, { headers: { ...GUESSER, ...bearer(ADMIN) } })).status).toBe(
      200,
    );
  });
});

const socketUrl = ({ url }: TestApp) => `${url.replace('http', 'ws')}/graphql`;

/** What the server answers to who asks for a WebSocket and gets none. */
function refusalOfUpgrade(app: TestApp): Promise<{ status?: number; retryAfter?: unknown }> {
  const socket = new WebSocket(socketUrl(app), 'graphql-transport-ws', { headers: GUESSER });
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('open', () => resolve({}));
    socket.once('unexpected-response', (_, response) => {
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
      socket.terminate();
    });
  });
}

/** As a page connects. @returns the close code of who is not let in */
async function connect(app: TestApp, token: string, headers: Record<string, string>) {
  const client = createWebSocketClient({
    url: socketUrl(app),
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { headers });
      }
    },
    retryAttempts: 0,
    lazy: false,
    connectionParams: bearer(token),
    onNonLazyError: () => {},
  });
  try {
    return await new Promise<unknown>((resolve) => {
      client.on('connected', () => resolve('connected'));
      client.on('closed', (event) =>
        resolve(typeof event === 'object' && event !== null ? Reflect.get(event, 'code') : event),
      );
    });
  } finally {
    await client.dispose();
  }
}
