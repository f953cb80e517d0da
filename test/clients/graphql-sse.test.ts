import { type ClientOptions, createClient } from 'graphql-sse';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDevice, aServer, bearer, eventually, stored, type TestApp } from '../support/app.js';
import { anOidcProvider } from '../support/oidc.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { renewedTokens } from './short-tokens.js';

const DUMPS = { query: 'subscription { parseStatus { filename } }' };

/** The library in its distinct connections mode, as it comes. */
function aClient(app: TestApp, options: Pick<ClientOptions, 'headers' | 'retryAttempts'> = {}) {
  const client = createClient({ ...options, url: `${app.url}/graphql` });
  onTestFinished(() => client.dispose());
  return client;
}

function follow(client: ReturnType<typeof aClient>) {
  const told: string[] = [];
  const end = new Promise<unknown>((resolve) => {
    client.subscribe<{ parseStatus: { filename: string } }>(DUMPS, {
      next: ({ data, errors }) => void told.push(data?.parseStatus.filename ?? JSON.stringify(errors)),
      error: resolve,
      complete: () => resolve('complete'),
    });
  });
  return { told, end };
}

describe('graphql-sse', () => {
  it('goes on after the end of its token, with the next one', async () => {
    const issuer = await anOidcProvider([]);
    const tokens = renewedTokens(issuer);
    const app = await aServer({ ...issuer.environment, ...STATIC_TOKENS }, { token: ADMIN });
    const device = await aDevice(app);
    const { told } = follow(aClient(app, { headers: async () => bearer(await tokens.next()) }));
    await subscribed(app);
    const before = await stored(app, 'before', { headers: bearer(device.token) });
    await eventually(async () => told.includes(before.filename), 'the dump before');

    await eventually(async () => tokens.count() === 2, 'the second token');
    await subscribed(app);
    const after = await stored(app, 'after', { headers: bearer(device.token) });

    await eventually(async () => told.includes(after.filename), 'the dump after');
    expect(told.filter((line) => line.endsWith('.dmp'))).toEqual([before.filename, after.filename]);
  });

  it('is told of a wrong token; as it comes it asks five times more, whatever the status', async () => {
    const app = await aServer(STATIC_TOKENS);

    const error = await follow(aClient(app, { headers: bearer('wrong'), retryAttempts: 0 })).end;

    expect(error).toMatchObject({ response: { status: 401 } });
  });

  it('gets one answer and the end for queries, and errors that name what is wrong', async () => {
    const app = await aServer();
    const client = aClient(app);
    const answers = [];

    for await (const answer of client.iterate({ query: '{ devices { totalCount } }' })) answers.push(answer);
    const wrong = client.iterate({
      query: 'query ($first: Int!) { devices(first: $first) { totalCount } }',
      variables: { first: 'many' },
    });

    expect(answers).toEqual([{ data: { devices: { totalCount: 0 } } }]);
    expect(JSON.stringify(await wrong.next().catch((error: unknown) => error))).toContain('BAD_USER_INPUT');
  });
});

async function subscribed(app: TestApp): Promise<void> {
  await eventually(async () => {
    const response = await fetch(`${app.url}/metrics`, { headers: bearer(VIEWER) });
    return /^coredump_event_subscribers 1$/m.test(await response.text());
  }, 'the subscription');
}
