import { type ClientOptions, createClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, aServer, bearer, eventually, stored, type TestApp } from '../support/app.js';
import { anOidcProvider } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { renewedTokens } from './short-tokens.js';

const DUMPS = { query: 'subscription { parseStatus { filename } }' };

/** The library as it comes: what it does by itself must be enough. */
function aClient(app: TestApp, options: Omit<ClientOptions, 'url' | 'webSocketImpl'>) {
  const client = createClient({
    ...options,
    url: `${app.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
  });
  onTestFinished(async () => client.dispose());
  const closes: number[] = [];
  client.on('closed', (event) => void closes.push((event as { code: number }).code));
  return { client, closes };
}

function follow({ client }: ReturnType<typeof aClient>) {
  const told: string[] = [];
  const end = new Promise<unknown>((resolve) => {
    client.subscribe<{ parseStatus: { filename: string } }>(DUMPS, {
      next: ({ data }) => void told.push(data?.parseStatus.filename ?? 'an error'),
      error: resolve,
      complete: () => resolve('complete'),
    });
  });
  return { told, end };
}

describe('graphql-ws', () => {
  it('goes on after the end of its token, with the next one', async () => {
    const issuer = await anOidcProvider([]);
    const tokens = renewedTokens(issuer);
    const app = await aServer({ ...issuer.environment, ...STATIC_TOKENS }, { token: ADMIN });
    const device = await aDevice(app);
    const client = aClient(app, {
      connectionParams: async () => ({ authorization: `Bearer ${await tokens.next()}` }),
    });
    const { told } = follow(client);
    await subscribed(app);
    const before = await stored(app, 'before', { headers: bearer(device.token) });
    await eventually(async () => told.includes(before.filename), 'the dump before');

    await eventually(async () => tokens.count() === 2, 'the second token');
    await subscribed(app);
    const after = await stored(app, 'after', { headers: bearer(device.token) });

    await eventually(async () => told.includes(after.filename), 'the dump after');
    expect(client.closes).toEqual([4403]);
    expect(told).toEqual([before.filename, after.filename]);
  });

  it('gives up at once with a wrong token, which no second attempt makes right', async () => {
    const app = await aServer(STATIC_TOKENS);
    const client = aClient(app, { connectionParams: { authorization: 'Bearer wrong' } });

    expect(await follow(client).end).toMatchObject({ code: 4401 });
    expect(client.closes).toEqual([4401]);
  });

  it('is connected from the start where it is not lazy, and hears of a wrong token there too', async () => {
    const app = await aServer(STATIC_TOKENS);
    const refusals: unknown[] = [];
    const right = aClient(app, { lazy: false, connectionParams: { authorization: `Bearer ${VIEWER}` } });
    aClient(app, {
      ...{ lazy: false, connectionParams: { authorization: 'Bearer wrong' } },
      onNonLazyError: (error) => void refusals.push(error),
    });

    await new Promise((resolve) => right.client.on('connected', resolve));
    await eventually(async () => refusals.length === 1, 'the refusal');

    expect(refusals).toMatchObject([{ code: 4401 }]);
    expect(right.closes).toEqual([]);
  });

  it('gets a pong for each of its pings, with what it sent', async () => {
    const app = await aServer();
    const pongs: unknown[] = [];
    const { client, closes } = aClient(app, { keepAlive: 20, lazyCloseTimeout: 0 });
    client.on('pong', (received, payload) => void (received && pongs.push(payload)));
    const { told } = follow({ client, closes });

    await eventually(async () => pongs.length >= 3, 'three pongs');

    expect({ told, closes }).toEqual({ told: [], closes: [] });
  });

  it('answers queries and mutations beside subscriptions, and names what is wrong', async () => {
    const app = await aServer();
    const { client } = aClient(app, {});
    follow({ client, closes: [] });
    const ask = (query: string, variables = {}) => client.iterate({ query, variables }).next();

    const made = await ask(
      'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { code } } }',
      { input: { code: 'pump', name: 'Pump' } },
    );
    const wrong = await ask('query ($first: Int!) { devices(first: $first) { totalCount } }', {
      first: 'many',
    });

    expect(made.value).toMatchObject({ data: { createDeviceModel: { deviceModel: { code: 'pump' } } } });
    expect(wrong.value).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});

async function subscribed(app: TestApp): Promise<void> {
  await eventually(async () => {
    const response = await fetch(`${app.url}/metrics`, { headers: bearer(VIEWER) });
    return /^coredump_event_subscribers 1$/m.test(await response.text());
  }, 'the subscription');
}
