import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { getIntrospectionQuery } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import {
  type AnswerError,
  aGraphQLEndpoint,
  answerOf,
  type GraphQLEndpoint,
} from '../support/graphql-server.js';
import { DEEP_VARIABLES, QUERIES_OF_DEATH } from './queries-of-death.js';

type Ask = (
  endpoint: GraphQLEndpoint,
  request: { query: string; variables: Record<string, unknown> },
) => Promise<AnswerError[]>;

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** The ways on which an operation comes in. */
const WAYS: Record<string, Ask> = {
  async POST({ url }, request) {
    const init = { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(request) };
    return (await answerOf(await fetch(url, init))).errors;
  },
  async GET({ url }, { query, variables }) {
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    return (await answerOf(await fetch(`${url}?${search}`))).errors;
  },
  async SSE({ url }, request) {
    const client = createSseClient({ url, retryAttempts: 0 });
    onTestFinished(client.dispose);
    return firstErrors(client.iterate(request));
  },
  async WebSocket({ webSocketUrl }, request) {
    const client = createWebSocketClient({ url: webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    onTestFinished(async () => client.dispose());
    return firstErrors(client.iterate(request));
  },
};

describe.each(Object.keys(WAYS))('a query of death by %s', (way) => {
  const ask = WAYS[way] as Ask;
  // A query string is a line of the request's head, which has its own limit.
  const sent = QUERIES_OF_DEATH.filter(
    ([, , query, variables]) =>
      way !== 'GET' || (query.length < 6_000 && JSON.stringify(variables ?? {}).length < 6_000),
  );

  it('is refused before any SQL, naming the limit and its value', async () => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.fleet.aDevice(await endpoint.fleet.aModel());

    for (const [what, limit, query, variables = {}] of sent) {
      let errors: AnswerError[] = [];
      const statements = await endpoint.statementsOf(async () => {
        errors = await ask(endpoint, { query, variables: { ...variables } });
      });

      expect(errors, what).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', limit } }]);
      const [error] = errors as unknown as Array<{ message: string; extensions: { max: number } }>;
      if (!error?.message.includes('contains itself')) {
        expect(error?.message, what).toContain(String(error?.extensions.max));
      }
      expect(statements, what).toEqual([]);
    }
    expect(endpoint.logged).toEqual([]);
  });
});

describe('a query of death', () => {
  it('may come as variables that nest without end', async () => {
    const { url } = await aGraphQLEndpoint();

    const answer = await answerOf(
      await fetch(url, { method: 'POST', headers: JSON_TYPE, body: DEEP_VARIABLES }),
    );

    expect(answer.errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'nesting' } }]);
  });

  it.each<[string, string, string]>([
    ['brackets without end', '['.repeat(120_000), 'nesting'],
    ['objects without end', '{"a":'.repeat(20_000), 'nesting'],
    ['a list of many values', `{"query":"{a}","x":[${'0,'.repeat(50_000)}0]}`, 'values'],
  ])('may be JSON that is dear to read: %s', async (_, body, limit) => {
    const { url } = await aGraphQLEndpoint();

    const answer = await answerOf(await fetch(url, { method: 'POST', headers: JSON_TYPE, body }));

    expect(answer.errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX', limit } }]);
  });

  it('gets some of its errors, each of a readable length', async () => {
    const endpoint = await aGraphQLEndpoint();
    const unknown = Array.from({ length: 50 }, (_, index) => `${'x'.repeat(1_200)}${index}`).join(' ');

    const { errors } = await endpoint.send(`{ ${unknown} }`);

    expect(errors).toHaveLength(21);
    expect(Math.max(...errors.map(({ message }) => message.length))).toBeLessThan(1_100);
  });

  it('does not fill the memory by being another one each time', { timeout: 120_000 }, async () => {
    const endpoint = await aGraphQLEndpoint();
    const long = '__typename '.repeat(900);

    for (let index = 0; index < 100; index++) {
      await endpoint.send(`query Q${index} { ${long} }`);
    }
    const before = heapInUse();
    for (let index = 100; index < 400; index++) {
      await endpoint.send(`query Q${index} { ${long} }`);
    }

    // Three hundred such documents with their trees would be far more.
    expect(heapInUse() - before).toBeLessThan(100_000_000);
  });
});

describe('an honest query passes:', () => {
  const FRAMES = 'frames { index pc function file line inlined inRom trust arguments { name value } }';

  it.each<[string, string]>([
    [
      'the dumps of a page of devices',
      '{ devices(first: 200) { nodes { coredumps(first: 20) { nodes { id filename chip firmwareVersion size parseStatus } } } } }',
    ],
    ['GraphiQL’s introspection', getIntrospectionQuery()],
    [
      'introspection with everything',
      getIntrospectionQuery({
        inputValueDeprecation: true,
        schemaDescription: true,
        specifiedByUrl: true,
        oneOf: true,
      }),
    ],
    [
      'a page of dumps with their reasons',
      `{ coredumps(first: 100, filter: { parseStatus: [PARSED], search: "abort" }) { totalCount
         pageInfo { hasNextPage endCursor } nodes { id filename uploadedAt parseStatus fingerprint device { key name model { code } }
         firmware { version } report { reason crashedTask } } } }`,
    ],
    [
      'whole reports of a short page',
      `{ coredumps(first: 20) { nodes { id parsedOutput report { reason explanation registers { name value symbol meaning }
         tasks { name state crashed stackUsed stackFree ${FRAMES} } } } } }`,
    ],
    [
      'numbers for a page: counts by status, model and version',
      `{ ${Array.from({ length: 25 }, (_, index) => `c${index}: coredumps(first: 0, filter: { chip: ["c${index}"] }) { totalCount }`).join(' ')} }`,
    ],
  ])('%s', async (_, query) => {
    const endpoint = await aGraphQLEndpoint();

    const answer = await endpoint.send(query);

    expect(answer.errors).toEqual([]);
    expect(answer.data).not.toBeNull();
  });
});

/** As an event, or as the end of the operation: the transports differ in how they bring them. */
async function firstErrors(events: AsyncIterableIterator<{ errors?: unknown }>): Promise<AnswerError[]> {
  try {
    return ((await events.next()).value?.errors ?? []) as AnswerError[];
  } catch (thrown) {
    if (Array.isArray(thrown)) return thrown;
    throw thrown;
  } finally {
    await events.return?.();
  }
}

/** Bytes that are still referred to: without a collection, what is garbage already would count. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
