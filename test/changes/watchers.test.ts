import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/app.js';
import { aCrash } from '../support/crash-groups.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';

const DUMP = 'subscription ($id: ID) { parseStatus(coredumpId: $id) { id parseStatus } }';
const DUMPS_OF_DEVICE = 'subscription ($id: ID) { parseStatus(deviceId: $id) { id parseStatus } }';
const GROUP = 'subscription ($id: ID) { crashGroupUpdated(id: $id) { id note } }';

const TRANSPORTS = {
  SSE: ({ url }: GraphQLEndpoint) => createSseClient({ url, retryAttempts: 0 }),
  WebSocket: ({ webSocketUrl: url }: GraphQLEndpoint) =>
    createWebSocketClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 }),
};

describe.each(['SSE', 'WebSocket'] as const)('who watches one thing over %s', (transport) => {
  it.each([
    [
      'a person deletes the dump',
      DUMP,
      ({ endpoint, dump }: Fixture) => endpoint.coredumps.delete(dump.id).then(() => {}),
    ],
    [
      'a newer dump takes the place of the dump',
      DUMP,
      async ({ endpoint, device }: Fixture) => {
        const known = await endpoint.devices.findByKey(device.key);
        if (known === null) throw new Error('there is a device');
        const columns = { chip: 'esp32', firmwareVersion: '1.0.0', idempotencyKey: null };
        const body = (async function* () {
          yield Buffer.from('a newer dump');
        })();
        await endpoint.coredumps.save({ device: known, ...columns, body });
      },
    ],
    [
      'the device of the dump is deleted',
      DUMP,
      ({ endpoint, device }: Fixture) => endpoint.devices.deleteDevice(device.id),
    ],
    [
      'the device is deleted',
      DUMPS_OF_DEVICE,
      ({ endpoint, device }: Fixture) => endpoint.devices.deleteDevice(device.id),
    ],
    [
      'the group is merged into another',
      GROUP,
      async ({ endpoint, group }: Fixture) => {
        const other = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
        const { groupId: into } = await aCrash(endpoint, other, { place: 'another' });
        await endpoint.crashGroups.merge(rowIdOf(into), [rowIdOf(group.globalId)]);
      },
    ],
  ])('is told the end when %s', async (_, query, happens) => {
    const fixture = await aFixture();
    const { endpoint, dump, device, group } = fixture;
    const { globalId: id } = query === GROUP ? group : query === DUMP ? dump : device;
    const before = endpoint.changes.hasFollowers();
    const events = watch(endpoint, query, id);
    const first = query === DUMP ? await events.next() : null;
    const end = events.next();
    await eventually(async () => endpoint.changes.hasFollowers(), 'it is watched');
    // Until the subscription is complete at the server, which has read the thing meanwhile.
    await eventually(async () => isFollowed(endpoint, query), 'it is followed');

    await happens(fixture);

    expect(before).toBe(false);
    if (first !== null) expect(first.value?.data?.parseStatus).toMatchObject({ parseStatus: 'PARSED' });
    expect(await lastOf(events, end)).toMatchObject({ done: true });
    await eventually(async () => !endpoint.changes.hasFollowers(), 'nobody is left');
  });

  it('is told NOT_FOUND of a group that does not exist any more', async () => {
    const { endpoint, group } = await aFixture();
    await endpoint.db.crashSignature.deleteMany();
    await endpoint.db.crashGroup.deleteMany();

    const events = watch(endpoint, GROUP, group.globalId);

    const errors = await events.next().then(
      ({ value }) => value?.errors,
      (thrown: unknown) => thrown,
    );
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(endpoint.changes.hasFollowers()).toBe(false);
  });

  it('is told what happened before the end', async () => {
    const { endpoint, dump } = await aFixture();
    const events = watch(endpoint, DUMP, dump.globalId);
    await events.next();
    const row = await endpoint.coredumps.get(dump.id);
    if (row === null) throw new Error('there is a dump');

    endpoint.events.publish({ ...row, parseGeneration: 1, parseStatus: 'PENDING' });
    await endpoint.coredumps.delete(dump.id);

    expect((await events.next()).value?.data?.parseStatus).toMatchObject({ parseStatus: 'PENDING' });
    expect(await events.next()).toMatchObject({ done: true });
  });

  function watch(endpoint: GraphQLEndpoint, query: string, id: string) {
    const events = TRANSPORTS[transport](endpoint).iterate<Record<string, { parseStatus?: string }>>({
      query,
      variables: { id },
    });
    onTestFinished(async () => void (await events.return?.()));
    return events;
  }
});

type Fixture = Awaited<ReturnType<typeof aFixture>>;

/** A parsed dump of a device that keeps one, and its group. */
async function aFixture() {
  const endpoint = await aGraphQLEndpoint({ maxCoredumps: 1 });
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  const { dump, groupId } = await aCrash(endpoint, device);
  await endpoint.putFile(device, dump);
  return { endpoint, device, dump, group: { globalId: groupId } };
}

function isFollowed(endpoint: GraphQLEndpoint, query: string): boolean {
  return query === GROUP ? endpoint.groupSubscribers() === 1 : endpoint.events.subscriberCount() === 1;
}

/** The end, after what came before it. */
async function lastOf(
  events: { next(): Promise<IteratorResult<unknown>> },
  first: Promise<IteratorResult<unknown>>,
): Promise<IteratorResult<unknown>> {
  let result = await first;
  while (result.done !== true) result = await events.next();
  return result;
}

function rowIdOf(globalId: string): number {
  return Number(Buffer.from(globalId, 'base64').toString().split(':')[1]);
}
