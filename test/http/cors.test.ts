import { expect, it } from 'vitest';
import { aServer } from '../support/app.js';

const ORIGIN = 'https://dashboard.example';

/** What clients of GraphQL and MCP, their tracing and error reporting add to the requests of a page. */
const SENT = [
  ...['accept', 'authorization', 'content-type', 'if-none-match', 'idempotency-key', 'last-event-id'],
  ...['graphql-cost', 'x-request-id'],
  ...['mcp-method', 'mcp-name', 'mcp-protocol-version', 'mcp-session-id'],
  ...['apollo-require-preflight', 'x-apollo-operation-name'],
  ...['apollographql-client-name', 'apollographql-client-version'],
  ...['traceparent', 'tracestate', 'baggage', 'sentry-trace'],
];

it('allows a listed page the headers of its libraries, and shows it ours', async () => {
  const app = await aServer({ CORS_ORIGINS: ORIGIN });
  const url = `${app.url}/graphql`;

  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'POST' },
  });
  const answer = await fetch(`${url}?query={__typename}`, { headers: { Origin: ORIGIN } });

  expect(namesIn(preflight, 'access-control-allow-headers').sort()).toEqual(SENT.sort());
  expect(namesIn(answer, 'access-control-expose-headers')).toEqual(
    expect.arrayContaining(['x-request-id', 'retry-after', 'etag']),
  );
});

function namesIn({ headers }: Response, header: string): string[] {
  return (headers.get(header) ?? '').toLowerCase().split(', ');
}
