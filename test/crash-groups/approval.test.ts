import { describe, expect, inject, it } from 'vitest';
import { aServer, bearer, eventually } from '../support/app.js';
import { aCrash, aPendingDump, parsed } from '../support/crash-groups.js';
import { anIngestKey, boot, devicesOf, uploadBySerial } from '../support/enrolment.js';
import { aGraphQLEndpoint, type GraphQLEndpoint } from '../support/graphql-server.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';
import { aReceiver } from '../support/receiver.js';
import { filesOf } from '../support/stored-dumps.js';

const isPostgresql = inject('postgresql') !== undefined;

describe('a device that waits for approval', () => {
  it('uploads, and is shown as one that waits', async () => {
    const { app, key } = await aLockedServer();

    const response = await uploadBySerial(app, 'SN1', { key });

    expect(response.status).toBe(201);
    expect(await devicesOf(app, { approval: ['PENDING'] })).toMatchObject([
      { serial: 'SN1', approval: 'PENDING', coredumpCount: 1, crashCount: 1 },
    ]);
    expect(await devicesOf(app, { approval: ['APPROVED'] })).toEqual([]);
  });

  it('keeps its three newest dumps, rows and files, until it is approved', async () => {
    const { app, key } = await aLockedServer();
    const crash = (n: number) => uploadBySerial(app, 'SN1', { key, body: `crash ${n}` });
    for (const n of [1, 2, 3, 4, 5]) expect((await crash(n)).status).toBe(201);
    expect(await devicesOf(app)).toMatchObject([{ coredumpCount: 3, crashCount: 5 }]);
    await eventually(async () => (await filesOf(app)).length === 3, 'the files of the others are gone');

    await decide(app, 'approveDevice', 'SN1');
    for (const n of [6, 7]) await crash(n);

    expect(await devicesOf(app)).toMatchObject([{ approval: 'APPROVED', coredumpCount: 5 }]);
  });

  it('is refused once it was rejected, by every way, and let in again when it is approved', async () => {
    const { app, key } = await aLockedServer();
    await uploadBySerial(app, 'SN1', { key });
    await decide(app, 'rejectDevice', 'SN1');

    const refused = await uploadBySerial(app, 'SN1', { key, body: 'b' });

    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('was rejected')]);
    expect((await boot(app, { device_serial: 'SN1', firmware_version: '1' }, { token: key })).status).toBe(
      403,
    );
    expect(await devicesOf(app)).toMatchObject([{ approval: 'REJECTED', coredumpCount: 1 }]);
    await decide(app, 'approveDevice', 'SN1');
    expect((await uploadBySerial(app, 'SN1', { key, body: 'b' })).status).toBe(201);
  });

  it('is refused when it was rejected while its dump came', async () => {
    const { app, key } = await aLockedServer();
    await uploadBySerial(app, 'SN1', { key });
    const body = new TransformStream<Uint8Array, Uint8Array>();
    const writer = body.writable.getWriter();
    const search = new URLSearchParams({ chip: 'esp32c3', firmware_version: '1', device_serial: 'SN1' });
    const answer = fetch(`${app.url}/api/iot/coredump?${search}`, {
      method: 'POST',
      headers: bearer(key),
      body: body.readable,
      duplex: 'half',
    } as RequestInit);
    await writer.write(Buffer.from('the first half'));
    const inFlight = async () => (await metricsOf(app.url)).includes('iot_upload_coredump_in_flight 1');
    await eventually(inFlight, 'the upload has begun');

    await decide(app, 'rejectDevice', 'SN1');
    await writer.close();

    expect((await answer).status).toBe(403);
    expect(await devicesOf(app)).toMatchObject([{ coredumpCount: 1 }]);
    expect(await filesOf(app)).toHaveLength(1);
  });

  it.runIf(isPostgresql)('is decided on for every server at once (needs PostgreSQL)', async () => {
    const { app, key } = await aLockedServer();
    const other = await app.another();
    await uploadBySerial(other, 'SN1', { key });

    await decide(app, 'rejectDevice', 'SN1');

    expect((await uploadBySerial(other, 'SN1', { key, body: 'b' })).status).toBe(403);
  });
});

describe('crashes of a device that waits for approval', () => {
  it('are parsed, and in no group, chart, version or alert', async () => {
    const { endpoint, device, received } = await aPendingDevice();
    const dump = await aPendingDump(endpoint, device);

    expect(await parsed(endpoint, dump)).toBeNull();

    expect(await countedBy(endpoint)).toEqual({ groups: [], crashes: 0 });
    expect(await endpoint.db.coredump.findMany({ select: { parseStatus: true } })).toEqual([
      { parseStatus: 'PARSED' },
    ]);
    expect(await endpoint.db.alertDelivery.count()).toBe(0);
    expect(received).toEqual([]);
  });

  it('count when it is approved, each once, and raise their alert', async () => {
    const { endpoint, device, received } = await aPendingDevice();
    const known = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
    await aCrash(endpoint, known, { place: 'known' });
    await expect.poll(() => received.length, { timeout: 30_000 }).toBe(1);
    for (const place of ['known', 'fresh', 'fresh']) {
      await parsed(endpoint, await aPendingDump(endpoint, device), { crash: { place } });
    }
    await parsed(endpoint, await aPendingDump(endpoint, device), { status: 'ERROR' });
    const unread = await aPendingDump(endpoint, device);

    await send(endpoint, 'approveDevice', device.globalId);
    await send(endpoint, 'approveDevice', device.globalId);

    const groups = [
      { title: expect.stringContaining('fresh'), count: 2, deviceCount: 1 },
      { title: expect.stringContaining('known'), count: 2, deviceCount: 2 },
    ];
    expect(await countedBy(endpoint)).toEqual({ groups, crashes: 5 });
    await expect.poll(() => received.length, { timeout: 30_000 }).toBe(2);
    await parsed(endpoint, unread, { crash: { place: 'known' } });
    expect(await countedBy(endpoint)).toMatchObject({ crashes: 6 });
  });

  it('do not count when they are deleted, or read again, before that', async () => {
    const { endpoint, device } = await aPendingDevice();
    const read = await aPendingDump(endpoint, device);
    await parsed(endpoint, read);
    await endpoint.state.reset({ id: read.id });
    await parsed(endpoint, read, { crash: { place: 'elsewhere' } });
    await aPendingDump(endpoint, device);

    await endpoint.coredumps.deleteAllOf(device.id);

    expect(await countedBy(endpoint)).toEqual({ groups: [], crashes: 0 });
  });

  it('that ends its parse at that moment are counted once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { endpoint, device } = await aPendingDevice();
      const dumps = [await aPendingDump(endpoint, device), await aPendingDump(endpoint, device)];

      await Promise.all([
        ...dumps.map((dump) => parsed(endpoint, dump, { crash: { place: 'here' } })),
        send(endpoint, 'approveDevice', device.globalId),
      ]);

      expect(await countedBy(endpoint)).toMatchObject({ groups: [{ count: 2 }], crashes: 2 });
    }
  });
});

async function aLockedServer() {
  const app = await aServer(STATIC_TOKENS, { token: ADMIN });
  const { key } = await anIngestKey(app, { requiresApproval: true });
  return { app, key };
}

async function decide(
  app: Awaited<ReturnType<typeof aServer>>,
  mutation: 'approveDevice' | 'rejectDevice',
  serial: string,
): Promise<void> {
  const [device] = await devicesOf(app, { serial: [serial] });
  await app.graphql(`mutation ($id: ID!) { ${mutation}(input: { id: $id }) { device { approval } } }`, {
    id: device?.id,
  });
}

async function aPendingDevice() {
  const endpoint = await aGraphQLEndpoint({ allowPrivateAlerts: true });
  const { url, received } = await aReceiver();
  await endpoint.send(
    `mutation { createAlertRule(input: { name: "team", url: "${url}", format: GENERIC, onNew: true }) { secret } }`,
  );
  const device = await endpoint.fleet.aDevice(await endpoint.fleet.aModel());
  await endpoint.db.device.update({ where: { id: device.id }, data: { approval: 'PENDING' } });
  return { endpoint, device, received };
}

async function send(endpoint: GraphQLEndpoint, mutation: string, id: string): Promise<void> {
  const { errors } = await endpoint.send(
    `mutation { ${mutation}(input: { id: "${id}" }) { device { id } } }`,
  );
  expect(errors).toEqual([]);
}

async function countedBy(endpoint: GraphQLEndpoint) {
  const { data } = await endpoint.send(
    '{ crashGroups { nodes { title count deviceCount } } crashes(unit: DAY) { count } }',
  );
  const { crashGroups, crashes } = data as {
    crashGroups: { nodes: Array<{ title: string; count: number; deviceCount: number }> };
    crashes: Array<{ count: number }>;
  };
  return {
    groups: crashGroups.nodes.sort((a, b) => a.title.localeCompare(b.title)),
    crashes: crashes.reduce((sum, { count }) => sum + count, 0),
  };
}

async function metricsOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`, { headers: bearer(ADMIN) })).text();
}
