import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { createSystemClock } from '../../src/platform/clock.js';
import { aDevice, aServer, bearer, eventually, stored, type TestApp } from '../support/app.js';
import { anOidcProvider, type OidcProvider } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

/** How long past its `exp` a token is taken. */
const SKEW_SECONDS = 30;
const TOKEN_SECONDS = 2;
const FOLLOW = { query: 'subscription { parseStatus { filename } }' };

type Follow = (
  app: TestApp,
  freshToken: () => Promise<string>,
) => AsyncIterableIterator<{ data?: unknown; errors?: unknown }>;

/** As a dashboard has them: nothing is set but where the token comes from. */
const CLIENTS: Record<string, Follow> = {
  'graphql-ws'({ url }, freshToken) {
    const client = createWebSocketClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: async () => bearer(await freshToken()),
    });
    onTestFinished(async () => client.dispose());
    return client.iterate(FOLLOW);
  },
  'graphql-sse'({ url }, freshToken) {
    const client = createSseClient({
      url: `${url}/graphql`,
      headers: async () => bearer(await freshToken()),
    });
    onTestFinished(() => client.dispose());
    return client.iterate(FOLLOW);
  },
};

describe.each(Object.entries(CLIENTS))('the subscription of %s at an issuer of short tokens', (_, follow) => {
  it('gets its events again after each end of a token', async () => {
    // The server's time stands still until the test moves it, so that no token ends before its dump is told.
    let now = Date.now();
    const { app, device, issuer } = await aServerWithIssuer(() => new Date(now));
    let tokens = 0;
    const events = follow(app, () => {
      tokens += 1;
      return aToken(issuer, TOKEN_SECONDS, now);
    });
    const received: unknown[] = [];
    void (async () => {
      for await (const event of events) received.push(event);
      received.push('over');
    })();

    for (const round of [1, 2]) {
      await eventually(async () => tokens >= round && (await listeners(app)) === 1, 'it listens');
      const { filename } = await stored(app, `dump ${round}`, { headers: bearer(device.token) });
      await eventually(async () => received.length === round, 'its event');
      expect(received.at(-1)).toEqual({ data: { parseStatus: { filename } } });
      now += TOKEN_SECONDS * 1000;
      await eventually(async () => tokens > round, 'its next token');
    }
  });

  it('begins with a token that has expired on its way', async () => {
    const { app, device, issuer } = await aServerWithIssuer();
    const offered = [await aToken(issuer, -60), await aToken(issuer, 600)];
    const next = follow(app, async () => offered.shift() ?? '').next();

    await eventually(async () => (await listeners(app)) === 1, 'it listens');
    const { filename } = await stored(app, 'dump', { headers: bearer(device.token) });

    expect((await next).value).toEqual({ data: { parseStatus: { filename } } });
  });
});

async function aServerWithIssuer(now = () => new Date()) {
  const issuer = await anOidcProvider([]);
  const clock = { ...createSystemClock(), now };
  const app = await aServer({ ...STATIC_TOKENS, ...issuer.environment }, { token: ADMIN, clock });
  return { issuer, app, device: await aDevice(app) };
}

/** A viewer's, for so many seconds more. */
function aToken(issuer: OidcProvider, seconds: number, now = Date.now()): Promise<string> {
  return issuer.sign({
    exp: Math.floor(now / 1000) + seconds - SKEW_SECONDS,
    realm_access: { roles: ['viewer'] },
  });
}

async function listeners(app: TestApp): Promise<number> {
  const metrics = await (await fetch(`${app.url}/metrics`, { headers: bearer(ADMIN) })).text();
  return Number(/^coredump_event_subscribers (\d+)/m.exec(metrics)?.[1]);
}
