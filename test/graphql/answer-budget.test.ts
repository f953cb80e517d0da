import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/app.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { aSocket } from '../support/http.js';

const KIB = 1024;
const TEXTS = '{ devices(first: 200) { nodes { coredumps(first: 200) { nodes { parsedOutput } } } } }';

describe('an answer that would be too large', () => {
  it.each<[string, string]>([
    ['texts of pages within pages', TEXTS],
    ['reports', '{ coredumps(first: 200) { nodes { report { reason warnings { message } } } } }'],
    [
      'the same text by several names',
      `{ coredumps(first: 4) { nodes { ${aliases(10, 'parsedOutput')} } } }`,
    ],
    [
      'a part of a report by several names',
      `{ coredumps(first: 4) { nodes { report { ${aliases(10, 'warnings { message }')} } } } }`,
    ],
    [
      'parts of parts of a report',
      `{ coredumps(first: 4) { nodes { report { ${aliases(4, `tasks { ${aliases(4, 'name')} }`)} } } } }`,
    ],
    ['texts by node and by dump', `{ ${aliases(10, 'coredumps(first: 10) { nodes { parsedOutput } }')} }`],
    [
      'what a search found',
      `{ ${aliases(3, 'search(query: "abort") { coredumps(first: 50) { nodes { snippet { text } } } }')} }`,
    ],
  ])('is refused, and no more texts are read than it may have: %s', async (_, query) => {
    const endpoint = await aGraphQLEndpoint({
      answerLimits: { maxAnswerBytes: 256 * KIB, maxBytesInFlight: 1024 * KIB },
    });
    await fill(endpoint, { devices: 5, dumpsEach: 8, bytes: 10 * KIB });

    let answer = await endpoint.send(TEXTS);
    const statements = await endpoint.statementsOf(async () => {
      answer = await endpoint.send(query);
    });

    expect(answer.data).toBeNull();
    expect(answer.errors).toMatchObject([
      { extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'answerBytes', max: 256 * KIB } },
    ]);
    expect(answer.errors[0]?.message).toMatch(
      /at most 262144 bytes \(GRAPHQL_MAX_ANSWER_BYTES\).*[0-9]{6,} or more.*ask for fewer/,
    );
    // None at all, but where they are asked for one page after another.
    expect(textsRead(statements) * 10 * KIB).toBeLessThanOrEqual(256 * KIB);
    expect(endpoint.answers.bytesInFlight()).toBe(0);
  });

  it('is what a list makes it that no page bounds', async () => {
    const endpoint = await aGraphQLEndpoint({
      queriesApart: true,
      answerLimits: { maxAnswerBytes: 64 * KIB, maxBytesInFlight: 1024 * KIB },
    });
    const series =
      'crashes(unit: HOUR, from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z") { start count }';

    const { errors } = await endpoint.send(`{ ${aliases(3, series)} }`);

    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'answerBytes' } }]);
  });

  it('costs what its time series have columns', async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });
    const series =
      'crashes(unit: HOUR, from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z") { start count }';

    const { errors } = await endpoint.send(`{ crashGroups(first: 200) { nodes { ${series} } } }`);

    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'cost' } }]);
  });

  it.each(['SSE', 'WebSocket'])('is refused by %s too', async (way) => {
    const endpoint = await aGraphQLEndpoint({
      queriesApart: true,
      answerLimits: { maxAnswerBytes: 64 * KIB, maxBytesInFlight: 1024 * KIB },
    });
    await fill(endpoint, { devices: 1, dumpsEach: 10, bytes: 10 * KIB });

    const errors = await firstErrors(endpoint, way, TEXTS);

    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'answerBytes' } }]);
    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
  });
});

describe('an answer within its budget', () => {
  it('is the same in pieces as at one go', async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });
    await fill(endpoint, { devices: 40, dumpsEach: 5, bytes: 3 * KIB });
    const query = `{ devices(first: 50) { nodes { key coredumps(first: 10) { totalCount nodes { id filename parsedOutput
      report { reason warnings { message } tasks { name } } device { key } } } } } }`;

    const { data, errors } = await endpoint.send(query);

    expect(errors).toEqual([]);
    const dump = {
      parsedOutput: textOf(3 * KIB),
      report: { reason: 'abort', tasks: [{ name: 'main' }, { name: 'idle' }] },
    };
    const device = { coredumps: { totalCount: 5, nodes: new Array(5).fill(dump) } };
    expect(data).toMatchObject({ devices: { nodes: new Array(40).fill(device) } });
    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
  });
});

describe('answers that are being made or sent', () => {
  it('share a budget: who comes when it is used up is told which setting, and when to come again', async () => {
    const endpoint = await aGraphQLEndpoint({
      queriesApart: true,
      answerLimits: { maxAnswerBytes: 8192 * KIB, maxBytesInFlight: 10_240 * KIB },
    });
    await fill(endpoint, { devices: 1, dumpsEach: 6, bytes: 1024 * KIB });
    const slow = ask(endpoint, TEXTS);
    await eventually(async () => endpoint.answers.bytesInFlight() > 6_000 * KIB, 'the first answer');

    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: TEXTS }),
    });

    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      errors: [
        {
          message: expect.stringContaining('GRAPHQL_MAX_ANSWER_BYTES_IN_FLIGHT'),
          extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'answerBytesInFlight', max: 10_240 * KIB },
        },
      ],
    });
    const small = await endpoint.send('{ coredumps(first: 5) { nodes { filename } } }');
    expect(small.errors).toEqual([]);
    slow.destroy();
    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
    expect((await endpoint.send(TEXTS)).errors).toEqual([]);
  });

  it('are cut where somebody else needs what a reader has not taken for long', async () => {
    const endpoint = await aGraphQLEndpoint({
      queriesApart: true,
      answerLimits: { maxAnswerBytes: 8192 * KIB, maxBytesInFlight: 10_240 * KIB },
      answerPatienceMs: 0,
    });
    await fill(endpoint, { devices: 1, dumpsEach: 6, bytes: 1024 * KIB });
    const slow = ask(endpoint, TEXTS);
    const cut = new Promise((resolve) => slow.once('close', resolve));
    // It has been made when its first bytes are there.
    await eventually(async () => slow.bytesRead > 0, 'the first bytes');

    const { errors } = await endpoint.send(TEXTS);

    expect(errors).toEqual([]);
    slow.resume();
    await cut;
    const metric = await endpoint.metrics.registry.getSingleMetricAsString('http_slow_readers_total');
    expect(metric).toContain('http_slow_readers_total 1');
    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
  });

  it('give all of it back, also when their readers go at any moment', { timeout: 240_000 }, async () => {
    const endpoint = await aGraphQLEndpoint({ queriesApart: true });
    await fill(endpoint, { devices: 1, dumpsEach: 3, bytes: 100 * KIB });
    let gone = 0;

    for (let round = 0; round < 20; round++) {
      const sockets = Array.from({ length: 50 }, () => ask(endpoint, TEXTS));
      for (const [index, socket] of sockets.entries()) {
        socket.once('close', () => {
          gone += 1;
        });
        // At once, when it is connected, when the answer begins, and later in it.
        if (index % 4 === 0) socket.destroy();
        else if (index % 4 === 1) socket.once('connect', () => socket.destroy());
        else
          socket.once('data', () =>
            index % 4 === 2 ? socket.destroy() : socket.resume().once('data', () => socket.destroy()),
          );
        socket.resume();
      }
      await eventually(async () => gone === 50 * (round + 1), 'all to be gone');
    }

    await eventually(async () => endpoint.answers.bytesInFlight() === 0, 'the budget to be whole');
    expect((await endpoint.send(TEXTS)).errors).toEqual([]);
  });
});

async function fill(
  { fleet }: GraphQLEndpoint,
  { devices, dumpsEach, bytes }: { devices: number; dumpsEach: number; bytes: number },
): Promise<void> {
  const model = await fleet.aModel();
  for (let index = 0; index < devices; index++) {
    const device = await fleet.aDevice(model);
    for (let dump = 0; dump < dumpsEach; dump++) {
      const report = {
        reason: 'abort',
        warnings: [{ code: 'OTHER' as const, message: textOf(bytes) }],
        tasks: ['main', 'idle'].map((name) => ({ name, tcb: '0x1' })),
      };
      await fleet.aDump(device, { parseStatus: 'PARSED', output: textOf(bytes), report });
    }
  }
}

/** By the ids in the statements that read them. */
function textsRead(statements: readonly string[]): number {
  const reading = statements.filter((sql) => /"(output|report)" AS "text"/.test(sql));
  return reading.join('').split('?').length - 1;
}

function textOf(bytes: number): string {
  return 'abort() was called\n"😀"\n'.repeat(Math.ceil(bytes / 20)).slice(0, bytes - 1);
}

function aliases(count: number, field: string): string {
  return Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');
}

/** Asks, and reads nothing of the answer. */
function ask({ url }: GraphQLEndpoint, query: string) {
  const { socket, send } = aSocket(url);
  socket.pause();
  const body = JSON.stringify({ query });
  send(
    `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return socket;
}

async function firstErrors(endpoint: GraphQLEndpoint, way: string, query: string): Promise<unknown> {
  if (way === 'SSE') {
    const client = createSseClient({ url: endpoint.url, retryAttempts: 0 });
    onTestFinished(client.dispose);
    return (await client.iterate({ query }).next()).value?.errors;
  }
  const client = createWebSocketClient({
    url: endpoint.webSocketUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  onTestFinished(async () => client.dispose());
  return (await client.iterate({ query }).next()).value?.errors;
}
