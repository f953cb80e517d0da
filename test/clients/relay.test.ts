import {
  ConnectionHandler,
  commitMutation,
  createOperationDescriptor,
  type Environment,
  fetchQuery,
  getSingularSelector,
  type OperationDescriptor,
  ROOT_ID,
  requestSubscription,
} from 'relay-runtime';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/app.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { aRelayEnvironment } from './relay-environment.js';
import { aRelayProject, type RelayProject } from './relay-project.js';
import type { Variables } from './three-clients.js';

/** What the modules of an application have in their tags. */
const MODULES = {
  Devices: `
    query DevicesQuery($count: Int!, $cursor: String) {
      ...Devices_list @arguments(count: $count, cursor: $cursor)
    }
    fragment Devices_list on Query
      @refetchable(queryName: "DevicesPaginationQuery")
      @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
      devices(first: $count, after: $cursor) @connection(key: "Devices_devices") {
        edges { node { id key model { id code } } }
      }
    }`,
  AddDevice: `
    mutation AddDeviceMutation($input: CreateDeviceInput!, $connections: [ID!]!) {
      createDevice(input: $input) {
        device @appendNode(connections: $connections, edgeTypeName: "DeviceEdge") { id key model { id code } }
      }
    }`,
  RenameDevice: `
    mutation RenameDeviceMutation($input: UpdateDeviceInput!) {
      updateDevice(input: $input) { device { id name } }
    }`,
  DropDevice: `
    mutation DropDeviceMutation($input: DeleteDeviceInput!, $connections: [ID!]!) {
      deleteDevice(input: $input) {
        deletedDeviceId @deleteEdge(connections: $connections)
        gone: deletedDeviceId @deleteRecord
      }
    }`,
  ByNode: `
    query ByNodeQuery($id: ID!) {
      node(id: $id) { id ...ByNode_device @alias ...ByNode_dump @alias }
    }
    fragment ByNode_device on Device @refetchable(queryName: "ByNodeRefetchQuery") { id key name }
    fragment ByNode_dump on Coredump { id filename parseStatus device { id key } }`,
  Follow: `
    subscription FollowSubscription($id: ID) {
      parseStatus(coredumpId: $id) { id parseStatus parsedAt }
    }`,
  Feed: `
    subscription FeedSubscription { crashEvents { type deletedId @deleteRecord node { id ...ByNode_dump @alias } } }`,
};

async function anApplication() {
  const endpoint = await aGraphQLEndpoint();
  const project = await aRelayProject(MODULES);
  const environment = aRelayEnvironment(endpoint.url);
  return { endpoint, project, environment };
}

describe('Relay', () => {
  it('walks a connection to its end, a page at a time, into one list', async () => {
    const { endpoint, project, environment } = await anApplication();
    await someDevices(endpoint, 5);

    const first = await page(environment, project, { count: 2 });
    const second = await page(environment, project, { count: 2, cursor: first.endCursor });
    const third = await page(environment, project, { count: 2, cursor: second.endCursor });

    expect([first.keys, second.keys, third.keys]).toEqual([
      ['d4', 'd3'],
      ['d4', 'd3', 'd2', 'd1'],
      ['d4', 'd3', 'd2', 'd1', 'd0'],
    ]);
    expect([first, second, third].map(({ hasNextPage }) => hasNextPage)).toEqual([true, true, false]);
  });

  it('adds what a mutation made to the list, and takes away what one deleted, in its store', async () => {
    const { endpoint, project, environment } = await anApplication();
    const [device] = await someDevices(endpoint, 2);
    if (device === undefined) throw new Error('two devices were made');
    await page(environment, project, { count: 10 });
    const connections = [ConnectionHandler.getConnectionID(ROOT_ID, 'Devices_devices')];

    await mutate(environment, project, 'AddDevice', {
      input: { modelCode: 'pump', key: 'new' },
      connections,
    });
    const withNew = listed(environment, project);
    await mutate(environment, project, 'DropDevice', { input: { id: device.globalId }, connections });

    expect(withNew.keys).toEqual(['d1', 'd0', 'new']);
    expect(listed(environment, project).keys).toEqual(['d1', 'new']);
    expect(environment.getStore().getSource().get(device.globalId)).toBeNull();
  });

  it('updates the record that a mutation answers, and finds it by its id', async () => {
    const { endpoint, project, environment } = await anApplication();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    await show(environment, project, device.globalId);
    const name = () => environment.getStore().getSource().get(device.globalId)?.name;
    const before = name();

    await mutate(environment, project, 'RenameDevice', { input: { id: device.globalId, name: 'Cellar' } });
    const after = name();
    const refetched = aRelayEnvironment(endpoint.url);
    await fetchQuery(refetched, project.request('ByNodeRefetchQuery'), { id: device.globalId }).toPromise();

    expect([before, after]).toEqual([null, 'Cellar']);
    expect(refetched.getStore().getSource().get(device.globalId)).toMatchObject({
      __typename: 'Device',
      key: 'd0',
      name: 'Cellar',
    });
  });

  it('keeps a dump up to date by a subscription, wherever it is shown', async () => {
    const { endpoint, project, environment } = await anApplication();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    const dump = await endpoint.fleet.aDump(device, { parseStatus: 'PARSED' });
    await endpoint.putFile(device, dump);
    await show(environment, project, dump.globalId);
    const status = () => environment.getStore().getSource().get(dump.globalId)?.parseStatus;
    const { dispose } = requestSubscription(environment, {
      subscription: project.request('FollowSubscription'),
      variables: { id: dump.globalId },
    });
    await eventually(async () => endpoint.events.subscriberCount() === 1, 'the subscription');
    const before = status();

    await endpoint.coredumps.reparse(dump.id);

    await eventually(async () => status() === 'PENDING', 'the new status');
    expect(before).toBe('PARSED');
    dispose();
  });

  it('forgets what the feed of changes tells as deleted, and nothing else', async () => {
    const { endpoint, project, environment } = await anApplication();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    const [gone, kept] = [await endpoint.fleet.aDump(device), await endpoint.fleet.aDump(device)];
    for (const { globalId } of [gone, kept]) await show(environment, project, globalId);
    const typeOf = ({ globalId }: { globalId: string }) =>
      environment.getStore().getSource().get(globalId)?.__typename;
    const events: unknown[] = [];
    const { dispose } = requestSubscription(environment, {
      subscription: project.request('FeedSubscription'),
      variables: {},
      onNext: (event) => void events.push(event),
    });
    await eventually(async () => events.length === 1, 'READY');

    await endpoint.coredumps.delete(gone.id);

    await eventually(async () => typeOf(gone) === undefined, 'the end of its record');
    expect(typeOf(kept)).toBe('Coredump');
    dispose();
  });

  it('gives each thing one record: no two types share an id', async () => {
    const { endpoint, project, environment } = await anApplication();
    const [device] = await someDevices(endpoint, 1);
    if (device === undefined) throw new Error('a device was made');
    const { dump, groupId } = await aCrash(endpoint, device);

    for (const id of [device.globalId, dump.globalId, groupId]) await show(environment, project, id);

    const source = environment.getStore().getSource();
    expect([device.globalId, dump.globalId, groupId].map((id) => source.get(id)?.__typename)).toEqual([
      'Device',
      'Coredump',
      'CrashGroup',
    ]);
  });
});

async function someDevices({ fleet }: GraphQLEndpoint, count: number) {
  const model = await fleet.aModel({ code: 'pump' });
  const devices = [];
  for (let index = 0; index < count; index++) devices.push(await fleet.aDevice(model, { key: `d${index}` }));
  return devices;
}

interface List {
  devices: {
    edges: Array<{ node: { key: string } }>;
    pageInfo: { endCursor: string | null; hasNextPage: boolean };
  };
}

async function page(
  environment: Environment,
  project: RelayProject,
  { count, cursor = null }: { count: number; cursor?: string | null },
) {
  const name = cursor === null ? 'DevicesQuery' : 'DevicesPaginationQuery';
  await shown(environment, createOperationDescriptor(project.request(name), { count, cursor }));
  return listed(environment, project);
}

/** Asks for a thing as a component does, which also keeps it in the store. */
function show(environment: Environment, project: RelayProject, id: string): Promise<void> {
  return shown(environment, createOperationDescriptor(project.request('ByNodeQuery'), { id }));
}

async function shown(environment: Environment, operation: OperationDescriptor): Promise<void> {
  environment.retain(operation);
  await environment.execute({ operation }).toPromise();
}

/** What a component that has the fragment shows. */
function listed(environment: Environment, project: RelayProject) {
  const operation = createOperationDescriptor(project.request('DevicesQuery'), { count: 2, cursor: null });
  const root = environment.lookup(operation.fragment).data;
  const selector = getSingularSelector(project.fragment('Devices_list'), root);
  if (selector == null) throw new Error('the query has no such fragment');
  const { devices } = environment.lookup(selector).data as unknown as List;
  return { keys: devices.edges.map(({ node }) => node.key), ...devices.pageInfo };
}

function mutate(environment: Environment, project: RelayProject, module: string, variables: Variables) {
  return new Promise<void>((resolve, reject) =>
    commitMutation(environment, {
      mutation: project.request(`${module}Mutation`),
      variables,
      onCompleted: (_, errors) => (errors == null ? resolve() : reject(new Error(JSON.stringify(errors)))),
      onError: reject,
    }),
  );
}
