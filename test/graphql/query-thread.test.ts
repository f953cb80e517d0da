import { readdirSync, readFileSync } from 'node:fs';
import { createClient as createEventClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/app.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const MB = 1024 * 1024;
/** Characters of one to four bytes, so that pieces end within some of them. */
const TEXT = 'abort() was called at PC 0x4200a3c1 — größer, 温度, 🔥\n';
const LONG =
  '{ coredumps(first: 200) { nodes { filename parsedOutput } } missing: node(id: "nonsense") { id } }';

async function aFilledEndpoint(options: Parameters<typeof aGraphQLEndpoint>[0] = {}) {
  const endpoint = await aGraphQLEndpoint({ queriesApart: true, ...options });
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  for (let index = 0; index < 60; index++) {
    await endpoint.fleet.aDump(device, { parseStatus: 'PARSED', output: TEXT.repeat(60 + index) });
  }
  return endpoint;
}

interface Shown {
  data: unknown;
  errors: unknown;
}

const WAYS: ReadonlyArray<[string, (endpoint: GraphQLEndpoint, query: string) => Promise<Shown>]> = [
  [
    'POST',
    async ({ url }, query) => {
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
      return (await response.json()) as Shown;
    },
  ],
  [
    'GET',
    async ({ url }, query) => {
      const accept = 'application/graphql-response+json';
      const response = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
        headers: { Accept: accept },
      });
      expect(response.headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
      return (await response.json()) as Shown;
    },
  ],
  [
    'SSE',
    async ({ url }, query) => {
      const client = createEventClient({ url, retryAttempts: 0 });
      onTestFinished(() => client.dispose());
      const results: unknown[] = [];
      for await (const result of client.iterate({ query })) results.push(result);
      expect(results).toHaveLength(1);
      return results[0] as Shown;
    },
  ],
  [
    'WebSocket',
    async ({ webSocketUrl: url }, query) => {
      const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
      onTestFinished(async () => client.dispose());
      const results: unknown[] = [];
      for await (const result of client.iterate({ query })) results.push(result);
      expect(results).toHaveLength(1);
      return results[0] as Shown;
    },
  ],
];

describe('a long answer of the thread of queries', () => {
  it.each(WAYS)('is whole, with its errors, by %s', async (_, ask) => {
    const endpoint = await aFilledEndpoint();
    const rows = await endpoint.db.coredump.findMany({
      orderBy: { id: 'desc' },
      select: { filename: true, text: { select: { output: true } } },
    });

    const { data, errors } = await ask(endpoint, LONG);

    const nodes = rows.map(({ filename, text }) => ({ filename, parsedOutput: text?.output }));
    expect(data).toEqual({ coredumps: { nodes }, missing: null });
    expect(errors).toEqual([
      {
        message: 'Invalid global ID: nonsense',
        path: ['missing'],
        locations: [{ line: 1, column: 61 }],
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
  });

  it('is given up with its reader, and what it held is free', async () => {
    const endpoint = await aFilledEndpoint();
    const gone = new AbortController();
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: LONG }),
      signal: gone.signal,
    });
    expect(endpoint.answers.bytesInFlight()).toBeGreaterThan(100_000);

    gone.abort();

    await expect(response.text()).rejects.toThrow();
    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
  });
});

describe('readers who leave before the thread has begun', () => {
  it('are no error of the server', async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });
    const ask = (afterMs: number) =>
      fetch(endpoint.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ query: '{ devices { totalCount } }' }),
        signal: AbortSignal.timeout(afterMs),
      });

    // The first query waits until the thread has loaded its modules.
    const left = await Promise.allSettled([20, 40, 60, 80].map(ask));

    expect(left.map(({ status }) => status)).toContain('rejected');
    expect(await endpoint.send('{ devices { totalCount } }')).toMatchObject({ errors: [] });
    expect(endpoint.logged).toEqual([]);
  });
});

describe('readers who leave in the middle of long answers', () => {
  it('do no harm, whenever they do', async () => {
    const endpoint = await aFilledEndpoint();
    const body = JSON.stringify({ query: LONG });
    const headers = { 'Content-Type': 'application/json' };

    for (let round = 0; round < 60; round++) {
      const gone = new AbortController();
      const { body: stream } = await fetch(endpoint.url, {
        method: 'POST',
        headers,
        body,
        signal: gone.signal,
      });
      const reader = stream?.getReader();
      for (let piece = 0; piece < round % 6; piece++) await reader?.read();
      gone.abort();
    }

    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
    expect(await endpoint.send('{ devices { totalCount } }')).toMatchObject({ errors: [] });
  });
});

describe('the thread of queries', () => {
  it.skipIf(process.platform !== 'linux')(
    'steps back for uploads where processor time is scarce',
    async () => {
      const endpoint = await aGraphQLEndpoint({ queriesApart: true });
      await endpoint.send('{ devices { totalCount } }');

      expect(nicenessOf('self')).toBe(0);
      expect(readdirSync('/proc/self/task').map((id) => nicenessOf(`self/task/${id}`))).toContain(10);
    },
  );

  it('sees at once what was changed', async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });

    for (let index = 1; index <= 20; index++) {
      await endpoint.send(
        'mutation ($code: String!) { createDeviceModel(input: { code: $code, name: "x" }) { deviceModel { id } } }',
        {
          code: `model_${index}`,
        },
      );
      expect((await endpoint.send('{ deviceModels(first: 1) { totalCount } }')).data).toEqual({
        deviceModels: { totalCount: index },
      });
    }
  });

  it('is replaced when it breaks; changes do not notice', async () => {
    const endpoint = await aGraphQLEndpoint({
      queriesApart: true,
      maxHeapMb: 48,
      answerLimits: { maxAnswerBytes: 1024 * MB, maxBytesInFlight: 1024 * MB },
      environment: { GRAPHQL_MAX_COST: '100000000', GRAPHQL_MAX_DEPTH: '30' },
    });
    const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel({ code: 'pump' }));
    for (let index = 0; index < 100; index++) await endpoint.fleet.aDump(device);
    // A million dumps: small objects, for V8 ends the whole process for a text that is too long.
    const pages = 'coredumps(first: 200) { nodes { device { '.repeat(3);

    const [broken, changed] = await Promise.all([
      endpoint.send(`{ ${pages} key ${'} } } '.repeat(3)} }`),
      endpoint.send(
        'mutation { createDevice(input: { modelCode: "pump", key: "dev9" }) { device { key } } }',
      ),
    ]);

    expect(broken.errors).toMatchObject([
      {
        message: 'Queries cannot be answered now; try again.',
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) },
      },
    ]);
    expect(changed).toMatchObject({ data: { createDevice: { device: { key: 'dev9' } } }, errors: [] });
    expect(endpoint.answers.bytesInFlight()).toBe(0);
    expect(await endpoint.send('{ devices(first: 5) { totalCount } }')).toMatchObject({
      data: { devices: { totalCount: 2 } },
      errors: [],
    });
    expect(endpoint.answers.bytesInFlight()).toBe(0);
  });
});

/** proc(5): the 19th field of `stat`. */
function nicenessOf(thread: string): number {
  const stat = readFileSync(`/proc/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
}
