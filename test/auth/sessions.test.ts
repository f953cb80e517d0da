import { createHash } from 'node:crypto';
import { createClient as createSseClient } from 'graphql-sse';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { createSystemClock } from '../../src/platform/clock.js';
import { openForReading } from '../../src/platform/database/open-for-reading.js';
import { aDevice, aServer, bearer, eventually, stored, type TestApp } from '../support/app.js';
import { aBrowser, type Browser, signedIn } from '../support/browser-session.js';
import { aCopyOf, anInstallation, folders } from '../support/installations.js';
import { anOidcProvider, inSeconds } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, UPLOADER, VIEWER, WITH_UPLOADER } from '../support/people.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long past its `exp` a token is taken. */
const SKEW_SECONDS = 30;
const SUBSCRIPTION = 'subscription { parseStatus { filename } }';

describe('a session of a browser', () => {
  it('begins with a token, is in a cookie that no script and no other site can use, and says whose it is', async () => {
    const app = await aServer(WITH_UPLOADER);

    const { browser, response } = await signedIn(app, VIEWER);

    expect(await response.json()).toEqual({
      name: expect.stringMatching(/^token [0-9a-f]{8}$/),
      role: 'viewer',
      via: 'token',
      expiresAt: expect.any(String),
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('set-cookie')).toMatch(
      /^coredock_[0-9a-f]{8}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=259\d{4}$/,
    );
    expect(await (await browser.get('/api/session')).json()).toMatchObject({ role: 'viewer' });
    expect(await (await browser.get('/api/config')).json()).toMatchObject({
      role: 'viewer',
      session: { role: 'viewer' },
      ended: null,
    });
    expect(await browser.ask('{ viewer { role } }')).toEqual({ data: { viewer: { role: 'VIEWER' } } });
    const { browser: uploader } = await signedIn(app, UPLOADER);
    expect(await (await uploader.get('/api/config')).json()).toMatchObject({ session: { role: 'uploader' } });
    expect((await uploader.get('/metrics')).status).toBe(403);
  });

  it('is Secure, for this host alone, where people come by https', async () => {
    const app = await aServer({ ...STATIC_TOKENS, PUBLIC_URL: 'https://crashes.example' });
    const below = await aServer({ ...STATIC_TOKENS, PUBLIC_URL: 'https://crashes.example/coredock' });

    const one = await signedIn(app, VIEWER, { Origin: 'https://crashes.example' });
    const other = await signedIn(below, VIEWER, { Origin: 'https://crashes.example' });

    expect(one.response.headers.get('set-cookie')).toMatch(/^__Host-coredock_.*; Path=\/; .*; Secure$/);
    expect(other.response.headers.get('set-cookie')).toMatch(/^coredock_.*; Path=\/coredock; .*; Secure$/);
  });

  it('is not what another host, or somebody on the way, has set where people come by https', async () => {
    const app = await aServer({ ...STATIC_TOKENS, PUBLIC_URL: 'https://crashes.example' });
    const Origin = 'https://crashes.example';
    const { browser } = await signedIn(app, VIEWER, { Origin });

    const whoAmI = (Cookie: string) => fetch(`${app.url}/api/session`, { headers: { Cookie, Origin } });

    expect((await whoAmI(browser.headers.Cookie)).status).toBe(200);
    expect((await whoAmI(browser.headers.Cookie.replace('__Host-', ''))).status).toBe(401);
  });

  it.each([
    ['a wrong token', 'wrong', 401, 'The token is not valid.'],
    ['no token', undefined, 401, 'Send your token'],
  ])('is refused to %s, and no cookie is set', async (_, token, status, message) => {
    const app = await aServer(STATIC_TOKENS);

    const { response } = await signedIn(app, token);

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(message) } });
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('is refused after too many wrong tokens, but who is signed in stays so', async () => {
    const app = await aServer({ ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: '2' });
    const { browser } = await signedIn(app, VIEWER);

    await signedIn(app, 'wrong');
    await signedIn(app, 'wrong too');

    const { response } = await signedIn(app, VIEWER);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await browser.get('/api/session')).status).toBe(200);
  });

  it('ends with its sign-out, also for who has kept the cookie', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, ADMIN);

    const response = await browser.signOut();

    expect(response.status).toBe(204);
    expect(response.headers.getSetCookie()[0]).toMatch(/^coredock_[0-9a-f]{8}=; .*Max-Age=0$/);
    expect((await browser.get('/api/session')).status).toBe(401);
    expect(await browser.ask('{ viewer { role } }')).toMatchObject({
      errors: [{ message: 'The session has ended: sign in again.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
    const config = await browser.get('/api/config');
    expect(await config.json()).toMatchObject({ role: null, session: null, ended: 'ended' });
    expect(config.headers.getSetCookie()[0]).toContain('Max-Age=0');
  });

  it('ends everywhere, for this person alone, and the audit has it', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const [laptop, phone, other] = await Promise.all(
      [VIEWER, VIEWER, ADMIN].map(async (token) => (await signedIn(app, token)).browser),
    );

    expect((await laptop?.signOut('?everywhere=true'))?.status).toBe(204);

    expect((await phone?.get('/api/session'))?.status).toBe(401);
    expect((await other?.get('/api/session'))?.status).toBe(200);
    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: unknown[] } }>(
      '{ auditEvents(filter: { action: ["signIn", "signOutEverywhere"] }) { nodes { action role detail } } }',
    );
    expect(auditEvents.nodes[0]).toEqual({
      action: 'signOutEverywhere',
      role: 'VIEWER',
      detail: '2 sessions',
    });
    expect(auditEvents.nodes).toHaveLength(4);
  });

  it('ends everywhere by a token, without the cookie of any', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, VIEWER);

    const url = `${app.url}/api/session`;
    const once = await fetch(url, { method: 'DELETE', headers: bearer(VIEWER) });
    const everywhere = await fetch(`${url}?everywhere=true`, { method: 'DELETE', headers: bearer(VIEWER) });

    expect([once.status, everywhere.status]).toEqual([400, 204]);
    expect((await browser.get('/api/session')).status).toBe(401);
  });

  it('ends 30 days after its last use, and goes on as long as it is used', async () => {
    let now = Date.now();
    const clock = { ...createSystemClock(), now: () => new Date(now) };
    const app = await aServer(STATIC_TOKENS, { clock });
    const { browser } = await signedIn(app, VIEWER);

    now += 29 * DAY_MS;
    expect((await browser.get('/api/session')).status).toBe(200);
    await eventually(async () => (await rows(app))[0]?.lastUsedAt.getTime() === now, 'its use is written');
    now += 29 * DAY_MS;
    expect((await browser.get('/api/session')).status).toBe(200);
    await eventually(async () => (await rows(app))[0]?.lastUsedAt.getTime() === now, 'its use is written');
    now += 30 * DAY_MS;
    expect((await browser.get('/api/session')).status).toBe(401);
  });

  it('is worth what its token is worth: a token that was taken out of the settings ends it', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, VIEWER);

    const later = await app.restart({ VIEWER_TOKENS: '' });

    expect((await fetch(`${later.url}/api/session`, { headers: browser.headers })).status).toBe(401);
  });

  it('has nothing in the database by which somebody could sign in', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, VIEWER);

    const stored = JSON.stringify(await rows(app));

    expect(stored).toContain(createHash('sha256').update(browser.secret).digest('hex'));
    expect(stored).not.toContain(browser.secret);
    expect(stored).not.toContain(VIEWER);
    expect(stored).not.toContain(Buffer.from(VIEWER).toString('base64url').slice(0, -2));
  });

  it.each([
    ['of another site', 'https://evil.example'],
    ['of another program on this machine', 'http://127.0.0.1:1'],
    ['without an origin', undefined],
  ])('does not count for a change that comes from a page %s', async (_, Origin) => {
    const app = await aServer({ ...STATIC_TOKENS, CORS_ORIGINS: 'https://evil.example' });
    const { browser } = await signedIn(app, ADMIN);
    const headers = { Cookie: browser.headers.Cookie, ...(Origin === undefined ? {} : { Origin }) };
    const body = JSON.stringify({
      query: 'mutation { deleteCoredump(input: { id: "x" }) { deletedCoredumpId } }',
    });

    const mutation = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body,
    });
    const signOut = await fetch(`${app.url}/api/session`, { method: 'DELETE', headers });

    expect([mutation.status, signOut.status]).toEqual([401, 401]);
    expect((await browser.get('/api/session')).status).toBe(200);
  });

  it('is not begun by a page of another site, which would choose who people are here', async () => {
    const friend = 'https://friend.example';
    const app = await aServer({ ...STATIC_TOKENS, CORS_ORIGINS: friend });

    const { response } = await signedIn(app, VIEWER, { Origin: friend });
    const form = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { Origin: friend },
      body: new URLSearchParams({ token: VIEWER }),
      redirect: 'manual',
    });

    for (const { status, headers } of [response, form])
      expect([status, headers.get('set-cookie')]).toEqual([403, null]);
  });

  it('does not count for what a browser loads for another site', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, VIEWER);
    const read = (site: string) =>
      fetch(`${app.url}/api/session`, {
        headers: { Cookie: browser.headers.Cookie, 'Sec-Fetch-Site': site },
      });

    expect((await read('cross-site')).status).toBe(403);
    expect((await read('same-site')).status).toBe(403);
    expect((await read('none')).status).toBe(200);
    expect((await read('same-origin')).status).toBe(200);
  });

  it('does not come back with a database of before its sign-out', async () => {
    const { settings } = await anInstallation(await folders());
    const app = await aServer({ ...settings, ...STATIC_TOKENS }, { token: ADMIN });
    const { browser } = await signedIn(app, VIEWER);
    await app.close();
    const DATABASE_URL = await aCopyOf(settings.DATABASE_URL ?? '');
    const later = await aServer({ ...settings, ...STATIC_TOKENS }, { token: ADMIN });
    await aBrowser(later.url, browser.headers.Cookie).signOut();
    const device = await aDevice(later, { key: 'dev2' });
    await stored(later, 'a later dump', { device: 'dev2', headers: bearer(device.token) });
    await later.close();

    const restored = await aServer({ ...settings, ...STATIC_TOKENS, DATABASE_URL });

    expect((await aBrowser(restored.url, browser.headers.Cookie).get('/api/session')).status).toBe(401);
    expect(await rows(restored)).toEqual([]);
  });

  it('replaces the one that the browser had, and a header beside it wins', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, VIEWER);

    const { browser: next } = await signedIn(app, ADMIN, browser.headers);

    expect((await browser.get('/api/session')).status).toBe(401);
    const both = await fetch(`${app.url}/api/session`, { headers: { ...next.headers, ...bearer(VIEWER) } });
    expect(await both.json()).toMatchObject({ role: 'viewer' });
  });

  it('is not needed, and not begun, while authentication is off', async () => {
    const app = await aServer();

    const { response } = await signedIn(app, 'anything');

    expect(response.status).toBe(409);
    expect(await (await fetch(`${app.url}/api/session`)).json()).toEqual({
      name: 'anybody',
      role: 'admin',
      via: 'open',
      expiresAt: null,
    });
  });
});

describe('an open connection of a session', () => {
  it('is closed when its session is signed out, over WebSocket and SSE', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, VIEWER);
    const { browser: other } = await signedIn(app, ADMIN);
    const socket = aSocket(app, browser);
    const stay = aSocket(app, other);
    await Promise.all([socket.opened, stay.opened]);
    const events = expect(sse(app, browser).next()).rejects.toThrow(
      'Connection closed while having active streams',
    );
    await eventually(async () => (await listeners(app)) === 3, 'all listen');

    await browser.signOut();

    expect(await socket.closed).toEqual({ code: 4403, reason: 'The session has ended: sign in again.' });
    await events;
    await eventually(async () => (await listeners(app)) === 1, 'only the other listens');
  });

  it('does nothing more after that, also for a client that does not answer the close', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { browser } = await signedIn(app, ADMIN);
    const { socket, opened, closed } = aSocket(app, browser);
    await opened;
    const query =
      'mutation { createDeviceModel(input: { code: "late", name: "Late" }) { deviceModel { code } } }';

    socket.pause();
    await browser.signOut('?everywhere=true');
    socket.send(JSON.stringify({ id: '2', type: 'subscribe', payload: { query } }));
    socket.resume();

    expect(await closed).toMatchObject({ code: 4403 });
    // It would be a conflict if there were one already.
    expect(await app.graphql(query)).toEqual({ createDeviceModel: { deviceModel: { code: 'late' } } });
  });

  it('by WebSocket needs the Origin of the server’s own page', async () => {
    const app = await aServer(STATIC_TOKENS);
    const { browser } = await signedIn(app, VIEWER);

    expect(await aSocket(app, browser, { origin: null }).closed).toMatchObject({ code: 4401 });
    expect(await aSocket(app, browser, { origin: 'http://evil.example' }).closed).toMatchObject({
      code: 1006,
    });
    expect(await aSocket(app, browser, { token: 'wrong' }).closed).toMatchObject({ code: 4401 });
  });

  it('of an issuer’s token ends with it, where nothing can renew it', async () => {
    const issuer = await anOidcProvider([]);
    const exp = inSeconds(3600);
    const token = await issuer.sign({ exp, realm_access: { roles: ['viewer'] } });
    // The server's time stands still just before the end of the token, until the test moves it.
    let now = (exp + SKEW_SECONDS) * 1000 - 100;
    const clock = { ...createSystemClock(), now: () => new Date(now) };
    const app = await aServer(issuer.environment, { clock });
    const { browser, response } = await signedIn(app, token);
    expect(response.status).toBe(200);
    const socket = aSocket(app, browser);
    await socket.opened;

    now += 1_000;

    expect(await socket.closed).toMatchObject({ code: 4403 });
    expect((await browser.get('/api/session')).status).toBe(401);
  });
});

/** The sessions, as the database has them. */
async function rows({ config: { databaseUrl: url } }: TestApp) {
  const { db } = await openForReading(
    url.startsWith('file:')
      ? { kind: 'sqlite', name: url.slice('file:'.length) }
      : { kind: 'postgresql', url, poolSize: 1, statementLimitMs: 10_000 },
  );
  try {
    return await db.session.findMany();
  } finally {
    await db.$disconnect();
  }
}

/** A connection that asks for events as soon as it may. */
function aSocket(
  { url }: TestApp,
  { headers }: Browser,
  { origin = url, token }: { origin?: string | null; token?: string } = {},
) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    headers: { Cookie: headers.Cookie, ...(origin === null ? {} : { Origin: origin }) },
  });
  onTestFinished(() => socket.terminate());
  const payload = token === undefined ? {} : { authorization: `Bearer ${token}` };
  socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
  socket.on('error', () => {});
  const opened = new Promise<void>((resolve) =>
    socket.on('message', (data) => {
      if (JSON.parse(String(data)).type !== 'connection_ack') return;
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: SUBSCRIPTION } }));
      resolve();
    }),
  );
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  return { socket, opened, closed };
}

function sse({ url }: TestApp, { headers }: Browser) {
  const client = createSseClient({ url: `${url}/graphql`, retryAttempts: 0, headers: { ...headers } });
  onTestFinished(() => client.dispose());
  return client.iterate({ query: SUBSCRIPTION });
}

async function listeners(app: TestApp): Promise<number> {
  const metrics = await (await fetch(`${app.url}/metrics`, { headers: bearer(ADMIN) })).text();
  return Number(/^coredump_event_subscribers (\d+)/m.exec(metrics)?.[1]);
}
