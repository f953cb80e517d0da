import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { aServer, type TestApp } from '../support/app.js';
import { aGraphQLEndpoint } from '../support/graphql-server.js';
import { STATIC_TOKENS } from '../support/people.js';

const GRAPHQL = 'application/graphql-response+json';
/** As Apollo Client and urql ask. */
const ACCEPTS = [
  [`${GRAPHQL}, application/json;q=0.9`, GRAPHQL],
  ['application/json', 'application/json'],
  ['*/*', 'application/json'],
] as const;

interface Refusal {
  what: string;
  environment?: Record<string, string>;
  headers?: Record<string, string>;
  method?: string;
  /** Requests that come before. */
  before?: number;
  status: number;
  code: string;
}

const REFUSALS: Refusal[] = [
  { what: 'no token', environment: STATIC_TOKENS, status: 401, code: 'UNAUTHENTICATED' },
  {
    what: 'too many wrong tokens',
    environment: { ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: '1' },
    headers: { Authorization: 'Bearer wrong' },
    before: 1,
    status: 429,
    code: 'RATE_LIMITED',
  },
  {
    what: 'an issuer that does not answer',
    environment: { OIDC_ISSUER: 'http://127.0.0.1:9/', OIDC_AUDIENCE: 'coredock' },
    headers: { Authorization: `Bearer ${aTokenOf('http://127.0.0.1:9/')}` },
    status: 503,
    code: 'INTERNAL_SERVER_ERROR',
  },
  { what: 'another host', headers: { Host: 'evil.example' }, status: 421, code: 'MISDIRECTED' },
  { what: 'two hosts in one', headers: { Host: 'a b' }, status: 400, code: 'BAD_USER_INPUT' },
  {
    what: 'a page of another site',
    headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
    status: 403,
    code: 'FORBIDDEN',
  },
  { what: 'a wrong method', method: 'PUT', status: 405, code: 'BAD_USER_INPUT' },
  {
    what: 'a wrong type of body',
    headers: { 'Content-Type': 'text/plain' },
    status: 415,
    code: 'BAD_USER_INPUT',
  },
  { what: 'a body that is too large', headers: { 'X-Large': 'yes' }, status: 413, code: 'BAD_USER_INPUT' },
];

describe.each(REFUSALS)(
  'a refusal for $what',
  ({ environment, headers, method, before = 0, status, code }) => {
    it.each(ACCEPTS)('comes in a type that the client reads: %s', async (accept, type) => {
      const app = await aServer(environment);
      for (let time = 0; time < before; time++) await ask(app, { ...headers, accept }, method);

      const answer = await ask(app, { ...headers, accept }, method);

      expect(answer).toEqual({
        status,
        type: `${type}; charset=utf-8`,
        errors: [{ message: expect.any(String), extensions: expect.objectContaining({ code }) }],
      });
    });
  },
);

describe('a refusal for too many streams', () => {
  it('comes in the type that the client asks for beside the stream', async () => {
    const app = await aServer({ MAX_STREAMS_PER_ADDRESS: '1' });
    const open = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: 'subscription { parseStatus { id } }' }),
    });

    const answer = await ask(app, { accept: `${GRAPHQL}, application/json, text/event-stream` });

    expect(answer).toMatchObject({
      status: 429,
      type: `${GRAPHQL}; charset=utf-8`,
      errors: [{ extensions: { code: 'RATE_LIMITED', limit: 'streams' } }],
    });
    await open.body?.cancel();
  });
});

describe('a request that is no operation', () => {
  it.each<[string, string, object]>([
    ['syntax', '{ devices(', {}],
    ['validation', '{ nothing }', {}],
    ['variables', 'query ($n: Int) { devices(first: $n) { totalCount } }', { n: 'many' }],
    ['cost', '{ devices(first: 200) { nodes { coredumps(first: 200) { nodes { id chip } } } } }', {}],
    ['size', '{ devices(first: 1000) { totalCount } }', {}],
  ])('is 400 without data, and 200 where the status cannot say so: %s', async (_, query, variables) => {
    const endpoint = await aGraphQLEndpoint();

    const asked = await post(endpoint.url, { query, variables }, GRAPHQL);
    const plain = await post(endpoint.url, { query, variables }, 'application/json');

    expect(asked).toEqual({ status: 400, body: { errors: expect.any(Array) } });
    expect(plain).toEqual({ status: 200, body: { errors: expect.any(Array) } });
  });

  it('never shows what is meant for the server', async () => {
    const endpoint = await aGraphQLEndpoint();

    const { body } = await post(endpoint.url, { query: '{ devices(first: 1000) { totalCount } }' }, GRAPHQL);

    expect(JSON.stringify(body)).not.toContain('spec');
  });
});

async function post(url: string, body: object, accept: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** `fetch` sets `Host` and the headers of browsers by itself. */
function ask({ url }: TestApp, headers: Record<string, string>, method = 'POST') {
  const padding = headers['X-Large'] === undefined ? '' : ' '.repeat(200_000);
  const sent = request(`${url}/graphql`, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  sent.end(JSON.stringify({ query: `{ __typename }${padding}` }));
  return new Promise<{ status: number | undefined; type: string | undefined; errors: unknown }>(
    (resolve, reject) => {
      sent.on('error', reject).on('response', async (response) => {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        const { errors } = JSON.parse(text) as { errors: unknown };
        resolve({ status: response.statusCode, type: response.headers['content-type'], errors });
      });
    },
  );
}

/** Not signed by anybody: its issuer is never reached. */
function aTokenOf(issuer: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'a' })}.${part({ iss: issuer, aud: 'coredock', exp: 4e9 })}.c2ln`;
}
