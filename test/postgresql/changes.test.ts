import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/database/open-database.js';
import { aDevice, aServer, eventually, stored, type TestApp } from '../support/app.js';
import { followChanges, followFromNow, nameOf } from '../support/change-follower.js';

const DELETE = 'mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }';
const DELETE_DEVICE = 'mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }';

describe('changes at another server', () => {
  it('are told to followers here: arrival, deletion by a person, by retention and with the device', async () => {
    const a = await aServer({ MAX_COREDUMPS: '1' });
    const b = await a.another();
    const device = await aDevice(a);
    const { next } = await followFromNow(graphqlOf(a), { subjects: ['COREDUMP', 'DEVICE'] });

    const first = await stored(b, 'first');
    const second = await stored(b, 'second');
    await b.graphql(DELETE, { id: second.coredumpId });
    const third = await stored(b, 'third');
    await b.graphql(DELETE_DEVICE, { id: device.id });

    const told = new Map<string, string[]>();
    while (!(told.get(device.id)?.includes('DELETED') ?? false) || told.get(third.coredumpId) === undefined) {
      const { id, type } = await next();
      told.set(id ?? '', [...(told.get(id ?? '') ?? []), type]);
    }
    for (const { coredumpId } of [first, second, third]) {
      expect(told.get(coredumpId)?.at(-1), nameOf(coredumpId)).toBe('DELETED');
    }
  });

  it('end the subscription of who watches the thing that is deleted', async () => {
    const a = await aServer();
    const b = await a.another();
    await aDevice(a);
    const { coredumpId } = await stored(b, 'a dump');
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const response = await fetch(`${a.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
      body: JSON.stringify({
        query: 'subscription ($id: ID) { parseStatus(coredumpId: $id) { id } }',
        variables: { id: coredumpId },
      }),
      signal: stop.signal,
    });

    const text = response.text();
    await eventually(async () => (await subscribersOf(a)) === 1, 'it is followed');
    await b.graphql(DELETE, { id: coredumpId });

    expect(await text).toMatch(/event: complete/);
  });

  it('are not missed where a transaction commits after a later one', async () => {
    const a = await aServer();
    await aDevice(a, { key: 'early' });
    await aDevice(a, { key: 'late' });
    const { db, close } = await openDatabase(a.config.databaseUrl);
    onTestFinished(close);
    const rename = (key: string) => ({ where: { key }, data: { name: key } });
    let commit = () => {};
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const early = db.$transaction(async (tx) => {
      await tx.device.update(rename('early'));
      begun();
      await new Promise<void>((resolve) => {
        commit = resolve;
      });
    });
    await hasBegun;
    const { next, cursor } = await followFromNow(graphqlOf(a));

    await db.device.update(rename('late'));
    const first = await next();
    commit();
    await early;
    const second = await next();
    // From each cursor the rest, whatever was running when it was made.
    const { next: again } = await followed(a, cursor);
    const { next: rest } = await followed(a, first.cursor);

    const { devices } = await a.graphql<{ devices: { nodes: Array<{ id: string; name: string }> } }>(
      '{ devices { nodes { id name } } }',
    );
    const idOf = (name: string) => devices.nodes.find((device) => device.name === name)?.id;
    expect([first.id, second.id]).toEqual([idOf('late'), idOf('early')]);
    expect(new Set([(await again()).id, (await again()).id])).toEqual(new Set([first.id, second.id]));
    expect((await rest()).id).toBe(second.id);
    expect((await rest()).type).toBe('READY');
  });
});

const graphqlOf = ({ url }: TestApp) => ({ url: `${url}/graphql` });

const followed = (app: TestApp, since: string) => followChanges(graphqlOf(app), { since });

async function subscribersOf(app: TestApp): Promise<number> {
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  return Number(/^coredump_event_subscribers (\d+)/m.exec(metrics)?.[1]);
}
