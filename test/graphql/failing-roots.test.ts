import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config/settings.js';
import { bearer } from '../support/app.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

const QUERY = '{ auditEvents { nodes { action } } coredumps { nodes { filename } } }';

type Ask = (endpoint: GraphQLEndpoint, token: string, query: string) => Promise<unknown>;

const WAYS: Record<string, Ask> = {
  HTTP: post('application/json'),
  'HTTP, in the type of GraphQL over HTTP': post('application/graphql-response+json'),
  async SSE({ url }, token, query) {
    const client = createSseClient({ url, headers: bearer(token), retryAttempts: 0 });
    onTestFinished(() => client.dispose());
    return (await client.iterate({ query }).next()).value;
  },
  async WebSocket({ webSocketUrl: url }, token, query) {
    const connectionParams = bearer(token);
    const client = createWebSocketClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams,
      retryAttempts: 0,
    });
    onTestFinished(async () => client.dispose());
    return (await client.iterate({ query }).next()).value;
  },
};

describe.each([false, true])(
  'a root field that fails, in a thread of queries or not (%s),',
  (queriesApart) => {
    it.each(Object.entries(WAYS))('leaves the others where it is forbidden, by %s', async (_, ask) => {
      const { auth } = readConfig(STATIC_TOKENS);
      const endpoint = await aGraphQLEndpoint({ queriesApart, auth });
      const { filename } = await endpoint.fleet.aDump(
        await endpoint.fleet.aDevice(await endpoint.fleet.aModel()),
      );
      const others = { coredumps: { nodes: [{ filename }] } };

      expect(await ask(endpoint, VIEWER, QUERY)).toEqual({
        data: { auditEvents: null, ...others },
        errors: [expect.objectContaining({ path: ['auditEvents'], extensions: { code: 'FORBIDDEN' } })],
      });
      expect(await ask(endpoint, ADMIN, QUERY)).toEqual({ data: { auditEvents: { nodes: [] }, ...others } });
    });

    it('leaves the others where its database does not answer', async () => {
      const endpoint = await aGraphQLEndpoint({ queriesApart });
      await endpoint.breakDatabase();

      const { data, errors } = await endpoint.send('{ coredumps { nodes { id } } devices { nodes { id } } }');

      expect(data).toEqual({ coredumps: null, devices: { nodes: [] } });
      expect(errors).toMatchObject([{ path: ['coredumps'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
    });
  },
);

function post(accept: string): Ask {
  return async ({ url }, token, query) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Accept: accept, 'Content-Type': 'application/json', ...bearer(token) },
      body: JSON.stringify({ query }),
    });
    expect(response.status).toBe(200);
    return response.json();
  };
}
