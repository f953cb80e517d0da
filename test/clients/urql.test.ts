import {
  Client,
  type Exchange,
  type ExecutionResult,
  fetchExchange,
  gql,
  subscriptionExchange,
} from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { createClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/app.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const DEVICES = gql`
  query Devices($first: Int, $after: String) {
    devices(first: $first, after: $after) {
      edges { node { id key name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;
const NODE = gql`query ThingByNode($id: ID!) { node(id: $id) { id ... on Device { key name } } }`;
const RENAME = gql`
  mutation Rename($input: UpdateDeviceInput!) { updateDevice(input: $input) { device { id name } } }
`;
const DELETE = gql`
  mutation Delete($input: DeleteDeviceInput!) { deleteDevice(input: $input) { deletedDeviceId } }
`;
const DUMP = gql`query OneDump($id: ID!) { coredump(id: $id) { id parseStatus } }`;
const FOLLOW = gql`subscription Follow($id: ID) { parseStatus(coredumpId: $id) { id parseStatus } }`;

/** `relayPagination` shows nothing of a list without `first` and `last`. */
const PAGE = { first: 10 };

interface DeviceList {
  devices: {
    edges: Array<{ node: { key: string; name: string | null } }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
}

/** urql with a normalized cache that knows the schema, as the server tells it. */
async function aClient({ url, webSocketUrl }: GraphQLEndpoint, delay: Promise<unknown> = Promise.resolve()) {
  const introspection = await introspect(url);
  const socket = createClient({ url: webSocketUrl, webSocketImpl: WebSocket });
  onTestFinished(async () => socket.dispose());
  const complaints = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => complaints.mockRestore());
  const cache = cacheExchange({
    schema: introspection,
    resolvers: {
      Query: { devices: relayPagination(), node: (_, { id }) => ({ __typename: 'Device', id: String(id) }) },
    },
    updates: {
      Mutation: {
        deleteDevice({ deleteDevice }, _, store) {
          const { deletedDeviceId: id } = deleteDevice as { deletedDeviceId: string };
          store.invalidate({ __typename: 'Device', id });
        },
      },
    },
    optimistic: {
      updateDevice: ({ input }) => {
        const { id, name } = input as { id: string; name: string };
        return { __typename: 'UpdateDevicePayload', device: { __typename: 'Device', id, name } };
      },
    },
  });
  const client = new Client({
    url,
    preferGetMethod: false,
    fetch: async (input, init) => {
      if (String(init?.body).includes('mutation')) await delay;
      return fetch(input, init);
    },
    exchanges: [cache as Exchange, fetchExchange, overWebSocket(socket)],
  });
  return { client, complaints };
}

function overWebSocket(socket: ReturnType<typeof createClient>): Exchange {
  return subscriptionExchange({
    forwardSubscription: ({ query = '', variables }) => ({
      subscribe: (sink) => ({
        unsubscribe: socket.subscribe(
          { query, variables: variables as Record<string, unknown> },
          { ...sink, next: (result) => sink.next(result as ExecutionResult) },
        ),
      }),
    }),
  });
}

async function introspect(url: string): Promise<IntrospectionQuery> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: getIntrospectionQuery() }),
  });
  return ((await response.json()) as { data: IntrospectionQuery }).data;
}

describe('urql with graphcache', () => {
  it('puts the pages of a connection together, and knows every field of the schema', async () => {
    const endpoint = await aGraphQLEndpoint();
    await someDevices(endpoint, 5);
    const { client, complaints } = await aClient(endpoint);

    let after: string | null = null;
    let shown: DeviceList | undefined;
    do {
      const result: { data?: DeviceList } = await client.query(DEVICES, { first: 2, after }).toPromise();
      shown = result.data;
      after = shown?.devices.pageInfo.hasNextPage === true ? shown.devices.pageInfo.endCursor : null;
    } while (after !== null);

    expect(shown?.devices.edges.map(({ node }) => node.key)).toEqual(['d4', 'd3', 'd2', 'd1', 'd0']);
    expect(complaints).not.toHaveBeenCalled();
  });

  it('finds a thing of a list by its id, without asking', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [device] = await someDevices(endpoint, 1);
    const { client } = await aClient(endpoint);
    await client.query(DEVICES, PAGE).toPromise();

    const { data } = await client
      .query(NODE, { id: device?.globalId }, { requestPolicy: 'cache-only' })
      .toPromise();

    expect(data).toMatchObject({ node: { key: 'd0', name: null } });
  });

  it('shows a change before the server has answered, and what it answered afterwards', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    let send = () => {};
    const { client } = await aClient(endpoint, new Promise<void>((resolve) => (send = resolve)));
    const names = watchedNames(client);
    await eventually(async () => names().length === 1, 'the list');

    const answer = client.mutation(RENAME, { input: { id: device.globalId, name: 'Cellar' } }).toPromise();
    await eventually(async () => names().includes('Cellar'), 'the optimistic name');
    const stored = await endpoint.devices.get('d0');
    send();

    expect(stored?.name).toBeNull();
    expect((await answer).data).toMatchObject({ updateDevice: { device: { name: 'Cellar' } } });
    await eventually(async () => names().join() === 'Cellar', 'the name');
  });

  it('takes back a change that the server refused', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    const { client } = await aClient(endpoint);
    const names = watchedNames(client);
    await eventually(async () => names().length === 1, 'the list');

    const { error } = await client
      .mutation(RENAME, { input: { id: device.globalId, name: 'two\nlines' } })
      .toPromise();

    expect(error?.graphQLErrors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'input.name' } },
    ]);
    await eventually(async () => names()[0] === null, 'the old name');
  });

  it('takes a deleted thing out of its lists, by the id that the mutation answers', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [device] = await someDevices(endpoint, 2);
    if (device === undefined) throw new Error('two devices were made');
    const { client } = await aClient(endpoint);
    const names = watchedNames(client);
    await eventually(async () => names().length === 2, 'the list');

    await client.mutation(DELETE, { input: { id: device.globalId } }).toPromise();

    await eventually(async () => names().length === 1, 'the list without it');
  });

  it('shows what a subscription over graphql-ws tells', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    const dump = await endpoint.fleet.aDump(device, { parseStatus: 'PARSED' });
    await endpoint.putFile(device, dump);
    const { client } = await aClient(endpoint);
    let status: unknown;
    const watching = client
      .query(DUMP, { id: dump.globalId })
      .subscribe(({ data }) => (status = data?.coredump.parseStatus));
    const following = client.subscription(FOLLOW, { id: dump.globalId }).subscribe(() => {});
    onTestFinished(() => {
      watching.unsubscribe();
      following.unsubscribe();
    });
    await eventually(async () => status === 'PARSED' && endpoint.events.subscriberCount() === 1, 'both');

    await endpoint.coredumps.reparse(dump.id);

    await eventually(async () => status === 'PENDING', 'the new status');
  });
});

/** The names in the list of devices, as a page that shows it has them now. */
function watchedNames(client: Client): () => Array<string | null> {
  let shown: DeviceList | undefined;
  const { unsubscribe } = client.query<DeviceList>(DEVICES, PAGE).subscribe(({ data }) => {
    shown = data;
  });
  onTestFinished(unsubscribe);
  return () => shown?.devices.edges.map(({ node }) => node.name) ?? [];
}

async function someDevices({ fleet }: GraphQLEndpoint, count: number) {
  const model = await fleet.aModel({ code: 'pump' });
  const devices = [];
  for (let index = 0; index < count; index++) devices.push(await fleet.aDevice(model, { key: `d${index}` }));
  return devices;
}
