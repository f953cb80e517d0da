import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, aServer, bearer, stored, type TestApp } from '../support/app.js';
import { anOidcProvider, inSeconds } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

const QUERY = 'subscription { parseStatus { filename } }';
/** How long past its `exp` a token is taken. */
const SKEW_SECONDS = 30;

describe('a subscription over SSE', () => {
  it('needs a token, and gets its events with one', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const device = await aDevice(app);

    expect((await openSse(app)).status).toBe(401);
    expect((await openSse(app, device.token)).status).toBe(403);
    const events = sse(app, VIEWER);
    const next = events.next();
    await someoneListens(app);
    const { filename } = await stored(app, 'dump', { headers: bearer(device.token) });

    expect(await next).toMatchObject({ value: { data: { parseStatus: { filename } } } });
  });

  it('ends when its token does, without saying that it is over; why is said to who comes back with it', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer(issuer.environment);
    const token = await shortLived(issuer);

    const stream = await (await openSse(app, token)).text();
    const again = await openSse(app, token);

    expect(stream.replaceAll(':\n\n', '')).toBe('');
    expect(again.status).toBe(401);
    expect(await again.json()).toMatchObject({
      errors: [{ message: expect.stringContaining('expired'), extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('gets no event after the end of its token, even if no timer has fired', async () => {
    const issuer = await anOidcProvider([]);
    let now = Date.now();
    const app = await aServer(
      { ...STATIC_TOKENS, ...issuer.environment },
      {
        token: ADMIN,
        clock: { now: () => new Date(now), uniqueMicros: () => BigInt(Date.now()) * 1000n },
      },
    );
    const device = await aDevice(app);
    const events = sse(app, await issuer.sign({ exp: inSeconds(60), ...VIEWER_ROLE }));
    const next = events.next();
    // Of the same role with the same selection, whose token does not end.
    const other = sse(app, VIEWER).next();
    await someoneListens(app, 2);

    now += 3_600_000;
    const { filename } = await stored(app, 'dump', { headers: bearer(device.token) });

    expect(await other).toMatchObject({ value: { data: { parseStatus: { filename } } } });
    await expect(next).rejects.toThrow('Connection closed while having active streams');
  });
});

describe('a subscription over WebSocket', () => {
  it.each([
    ['a stranger', undefined, 4401],
    ['a wrong token', 'wrong', 4401],
  ])('is refused to %s when it connects', async (_, token, code) => {
    const app = await aServer(STATIC_TOKENS);

    expect(await closeOf(app, token)).toMatchObject({ code });
  });

  it('is refused to a device', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const device = await aDevice(app);

    expect(await closeOf(app, device.token)).toEqual({
      code: 4403,
      reason: 'A device may only upload crashes and boot reports.',
    });
  });

  it('cannot begin before the connection has said who it is', async () => {
    const app = await aServer(STATIC_TOKENS);
    const socket = new WebSocket(webSocketUrl(app), 'graphql-transport-ws');
    socket.on('open', () =>
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } })),
    );

    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(4401);
  });

  it('takes the token from connectionParams', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const device = await aDevice(app);
    const client = createWebSocketClient({
      url: webSocketUrl(app),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${VIEWER}` },
    });
    onTestFinished(() => void client.dispose());
    const next = client.iterate({ query: QUERY }).next();
    await someoneListens(app);
    const { filename } = await stored(app, 'dump', { headers: bearer(device.token) });

    expect(await next).toMatchObject({ value: { data: { parseStatus: { filename } } } });
  });

  it('ends when its token does, and says why', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer(issuer.environment);

    expect(await closeOf(app, await shortLived(issuer))).toEqual({
      code: 4403,
      reason: 'The token has expired: get a new one and connect again.',
    });
  });

  it('is told to try again with another token when this one was right until it expired', async () => {
    const issuer = await anOidcProvider([]);
    const app = await aServer({ ...issuer.environment, AUTH_FAILURES_PER_MINUTE: '1' });
    const expired = await issuer.sign({ exp: inSeconds(-3600), ...VIEWER_ROLE });

    // More often than an address may be wrong: all dashboards of an office come at once with theirs.
    for (let time = 0; time < 3; time++) {
      expect(await closeOf(app, expired)).toEqual({
        code: 4403,
        reason: 'The token is not valid: it has expired.',
      });
    }
    expect(await closeOf(app, await issuer.sign({ exp: inSeconds(-3600) }, { kid: 'other' }))).toMatchObject({
      code: 4401,
    });
  });

  it('is told to try again later when nobody can check the token', async () => {
    const issuer = await anOidcProvider([]);
    const token = await shortLived(issuer);
    await issuer.stop();
    const app = await aServer(issuer.environment);

    expect(await closeOf(app, token)).toMatchObject({ code: 1013 });
  });
});

const VIEWER_ROLE = { realm_access: { roles: ['viewer'] } };

/** A viewer's, for about five seconds more. */
function shortLived(issuer: Awaited<ReturnType<typeof anOidcProvider>>): Promise<string> {
  return issuer.sign({ exp: inSeconds(5 - SKEW_SECONDS), ...VIEWER_ROLE });
}

function openSse(app: TestApp, token?: string): Promise<Response> {
  return fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query: QUERY }),
  });
}

function sse(app: TestApp, token: string) {
  const client = createSseClient({ url: `${app.url}/graphql`, retryAttempts: 0, headers: bearer(token) });
  onTestFinished(() => client.dispose());
  return client.iterate({ query: QUERY });
}

/** How the server closes a connection that subscribes as soon as it may. */
function closeOf(app: TestApp, token?: string): Promise<{ code: number; reason: string }> {
  const socket = new WebSocket(webSocketUrl(app), 'graphql-transport-ws');
  const payload = token === undefined ? {} : { authorization: `Bearer ${token}` };
  socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
  socket.on('message', (data) => {
    if (JSON.parse(String(data)).type !== 'connection_ack') return;
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
  });
  return new Promise((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
}

function webSocketUrl({ url }: TestApp): string {
  return `${url.replace('http', 'ws')}/graphql`;
}

async function someoneListens(app: TestApp, count = 1): Promise<void> {
  for (;;) {
    const response = await fetch(`${app.url}/metrics`, { headers: bearer(VIEWER) });
    if (new RegExp(`^coredump_event_subscribers ${count}$`, 'm').test(await response.text())) return;
  }
}
