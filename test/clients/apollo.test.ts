import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { createClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/app.js';
import { aFirmwareElf } from '../support/firmware.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const DEVICES = gql`
  query Devices($first: Int, $after: String) {
    devices(first: $first, after: $after) {
      edges { node { id key name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;
const DEVICE = gql`query OneDevice($key: String!) { device(key: $key) { id key name } }`;
const RENAME = gql`
  mutation Rename($input: UpdateDeviceInput!) { updateDevice(input: $input) { device { id name } } }
`;
const DELETE = gql`
  mutation Delete($input: DeleteDeviceInput!) { deleteDevice(input: $input) { deletedDeviceId } }
`;
const UPLOAD = gql`
  mutation Upload($input: UploadFirmwareInput!) { uploadFirmware(input: $input) { firmware { id version } } }
`;
const DUMP = gql`query OneDump($id: ID!) { coredump(id: $id) { id parseStatus } }`;
const FOLLOW = gql`subscription Follow($id: ID) { parseStatus(coredumpId: $id) { id parseStatus } }`;

interface DeviceList {
  devices: {
    edges: Array<{ node: { key: string } }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
}

function aCache() {
  return new InMemoryCache({ typePolicies: { Query: { fields: { devices: relayStylePagination() } } } });
}

describe('Apollo Client', () => {
  it('puts the pages of a connection together', async () => {
    const endpoint = await aGraphQLEndpoint();
    await someDevices(endpoint, 5);
    const client = new ApolloClient({ link: new HttpLink({ uri: endpoint.url }), cache: aCache() });
    const list = client.watchQuery<DeviceList>({ query: DEVICES, variables: { first: 2 } });
    const shown: string[][] = [];
    const watching = list.subscribe(({ data }) => {
      if (data !== undefined) shown.push((data as DeviceList).devices.edges.map(({ node }) => node.key));
    });
    onTestFinished(() => watching.unsubscribe());
    await eventually(async () => shown.length === 1, 'the first page');

    let { pageInfo } = (list.getCurrentResult().data as DeviceList).devices;
    while (pageInfo.hasNextPage) {
      const { data } = await list.fetchMore({ variables: { after: pageInfo.endCursor } });
      pageInfo = (data as DeviceList).devices.pageInfo;
    }

    await eventually(async () => shown.at(-1)?.length === 5, 'the last page');
    expect(shown.at(-1)).toEqual(['d4', 'd3', 'd2', 'd1', 'd0']);
  });

  it('knows a thing by its id: a mutation changes it wherever it is shown, a deletion takes it away', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [device] = await someDevices(endpoint, 2);
    if (device === undefined) throw new Error('two devices were made');
    const client = new ApolloClient({ link: new HttpLink({ uri: endpoint.url }), cache: aCache() });
    await client.query({ query: DEVICES });
    await client.query({ query: DEVICE, variables: { key: 'd0' } });
    const ref = client.cache.identify({ __typename: 'Device', id: device.globalId });
    const cached = () =>
      client.readQuery<DeviceList>({ query: DEVICES })?.devices.edges.map(({ node }) => node);

    await client.mutate({ mutation: RENAME, variables: { input: { id: device.globalId, name: 'Cellar' } } });
    const renamed = cached();
    await client.mutate<{ deleteDevice: { deletedDeviceId: string } }>({
      mutation: DELETE,
      variables: { input: { id: device.globalId } },
      update(cache, { data }) {
        cache.evict({
          id: cache.identify({ __typename: 'Device', id: data?.deleteDevice.deletedDeviceId ?? '' }) ?? '',
        });
      },
    });

    expect(ref).toBe(`Device:${device.globalId}`);
    expect(renamed).toMatchObject([{ key: 'd1' }, { key: 'd0', name: 'Cellar' }]);
    expect(cached()).toMatchObject([{ key: 'd1' }]);
  });

  it('uploads a file by apollo-upload-client', async () => {
    const endpoint = await aGraphQLEndpoint();
    await endpoint.fleet.aModel({ code: 'thermostat' });
    const link = new UploadHttpLink({ uri: endpoint.url, headers: { 'Apollo-Require-Preflight': 'true' } });
    const client = new ApolloClient({ link, cache: aCache() });
    const bundle = new File([new Uint8Array(aFirmwareElf({ version: '3.1.4' }))], 'thermostat.elf');

    const { data } = await client.mutate({
      mutation: UPLOAD,
      variables: { input: { modelCode: 'thermostat', bundle } },
    });

    expect(data).toMatchObject({ uploadFirmware: { firmware: { version: '3.1.4' } } });
  });

  it('shows what a subscription over graphql-ws tells, by its cache', async () => {
    const endpoint = await aGraphQLEndpoint();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    const dump = await endpoint.fleet.aDump(device, { parseStatus: 'PARSED' });
    await endpoint.putFile(device, dump);
    const socket = createClient({ url: endpoint.webSocketUrl, webSocketImpl: WebSocket });
    onTestFinished(async () => socket.dispose());
    const link = ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(socket),
      new HttpLink({ uri: endpoint.url }),
    );
    const client = new ApolloClient({ link, cache: aCache() });
    await client.query({ query: DUMP, variables: { id: dump.globalId } });
    const status = () =>
      client.readQuery<{ coredump: { parseStatus: string } }>({
        query: DUMP,
        variables: { id: dump.globalId },
      })?.coredump.parseStatus;
    const following = client
      .subscribe({ query: FOLLOW, variables: { id: dump.globalId } })
      .subscribe(() => {});
    onTestFinished(() => following.unsubscribe());
    await eventually(async () => endpoint.events.subscriberCount() === 1, 'the subscription');
    const before = status();

    await endpoint.coredumps.reparse(dump.id);

    await eventually(async () => status() === 'PENDING', 'the new status');
    expect(before).toBe('PARSED');
  });

  it('asks by hash once, and by text from then on: the server takes no documents at run time', async () => {
    const endpoint = await aGraphQLEndpoint();
    await someDevices(endpoint, 1);
    const bodies: Array<{ query?: string; extensions?: { persistedQuery?: object } }> = [];
    const http = new HttpLink({
      uri: endpoint.url,
      fetch: (url, init) => {
        bodies.push(JSON.parse(String(init?.body)));
        return fetch(url, init);
      },
    });
    const persisted = new PersistedQueryLink({
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
    });
    const client = new ApolloClient({ link: ApolloLink.from([persisted, http]), cache: aCache() });

    const first = await client.query({ query: DEVICES });
    const second = await client.query({ query: DEVICE, variables: { key: 'd0' } });

    expect(first.data).toMatchObject({ devices: { edges: [{ node: { key: 'd0' } }] } });
    expect(second.data).toMatchObject({ device: { key: 'd0' } });
    const asked = bodies.map(({ query, extensions }) => ({
      byText: query !== undefined,
      byHash: extensions?.persistedQuery !== undefined,
    }));
    expect(asked).toEqual([
      { byText: false, byHash: true },
      { byText: true, byHash: false },
      { byText: true, byHash: false },
    ]);
  });
});

async function someDevices({ fleet }: GraphQLEndpoint, count: number) {
  const model = await fleet.aModel({ code: 'pump' });
  const devices = [];
  for (let index = 0; index < count; index++) devices.push(await fleet.aDevice(model, { key: `d${index}` }));
  return devices;
}
