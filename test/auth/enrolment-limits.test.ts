import { describe, expect, inject, it } from 'vitest';
import { aServer, bearer, errorOf, type TestApp } from '../support/app.js';
import { anIngestKey, boot, devicesOf, uploadBySerial } from '../support/enrolment.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

const isPostgresql = inject('postgresql') !== undefined;
const HOUR_MS = 3_600_000;

describe('newDevicesPerHour', () => {
  it('refuses one device more, with a time, and harms none that is known', async () => {
    const { app } = await aServerWithClock();
    const { key } = await anIngestKey(app, { newDevicesPerHour: 2 });
    for (const serial of ['SN1', 'SN2'])
      expect((await uploadBySerial(app, serial, { key })).status).toBe(201);

    const refused = await uploadBySerial(app, 'SN3', { key });

    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500);
    expect(await errorOf(refused)).toMatchObject({
      status: 429,
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/registered 2 new devices within an hour.*newDevicesPerHour/),
    });
    expect((await boot(app, { device_serial: 'SN3', firmware_version: '1' }, { token: key })).status).toBe(
      429,
    );
    expect((await uploadBySerial(app, 'SN1', { key, body: 'again' })).status).toBe(201);
    expect(await devicesOf(app)).toHaveLength(2);
    const metrics = await (await fetch(`${app.url}/metrics`, { headers: bearer(ADMIN) })).text();
    expect(metrics).toContain('iot_device_registrations_total{outcome="over_rate"} 2');
  });

  it('counts anew in the next hour', async () => {
    const { app, moveClock } = await aServerWithClock();
    const { key } = await anIngestKey(app, { newDevicesPerHour: 1 });
    await uploadBySerial(app, 'SN1', { key });
    expect((await uploadBySerial(app, 'SN2', { key })).status).toBe(429);

    moveClock(HOUR_MS);

    expect((await uploadBySerial(app, 'SN2', { key })).status).toBe(201);
    expect((await uploadBySerial(app, 'SN3', { key })).status).toBe(429);
  });

  it('is not given back by deleting devices', async () => {
    const { app } = await aServerWithClock();
    const { key } = await anIngestKey(app, { newDevicesPerHour: 1 });
    await uploadBySerial(app, 'SN1', { key });
    const [device] = await devicesOf(app);
    await app.graphql('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }', {
      id: device?.id,
    });

    expect((await uploadBySerial(app, 'SN1', { key })).status).toBe(429);
  });

  it('holds when many come at once', async () => {
    const { app } = await aServerWithClock();
    const { key } = await anIngestKey(app, { newDevicesPerHour: 10 });

    expect(await statusesOf([app], key, 40)).toEqual({ 201: 10, 429: 30 });
    expect(await devicesOf(app)).toHaveLength(10);
  });

  it.runIf(isPostgresql)('holds over two servers (needs PostgreSQL)', async () => {
    const { app } = await aServerWithClock();
    const other = await app.another();
    const { key } = await anIngestKey(app, { newDevicesPerHour: 10 });

    expect(await statusesOf([app, other], key, 40)).toEqual({ 201: 10, 429: 30 });
    expect(await devicesOf(app)).toHaveLength(10);
  });
});

describe('MAX_PENDING_DEVICES', () => {
  it('limits the devices of a key that wait, until an admin decides', async () => {
    const { app } = await aServerWithClock({ MAX_PENDING_DEVICES: '2' });
    const { key } = await anIngestKey(app, { requiresApproval: true });
    for (const serial of ['SN1', 'SN2']) await uploadBySerial(app, serial, { key });

    const refused = await errorOf(await uploadBySerial(app, 'SN3', { key }));
    expect(refused).toMatchObject({
      status: 429,
      message: expect.stringContaining('2 devices of this ingest key wait for approval'),
    });

    const [first] = await devicesOf(app);
    await app.graphql('mutation ($id: ID!) { rejectDevice(input: { id: $id }) { device { id } } }', {
      id: first?.id,
    });
    expect((await uploadBySerial(app, 'SN3', { key })).status).toBe(201);
    expect((await devicesOf(app)).map(({ approval }) => approval)).toEqual([
      'REJECTED',
      'PENDING',
      'PENDING',
    ]);
  });
});

async function statusesOf(apps: readonly TestApp[], key: string, count: number) {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      uploadBySerial(apps[n % apps.length] ?? apps[0] ?? fail(), `SN${n}`, { key }),
    ),
  );
  const statuses: Record<number, number> = {};
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  return statuses;
}

function fail(): never {
  throw new Error('at least one server is needed');
}

async function aServerWithClock(environment: Record<string, string> = {}) {
  let aheadMs = 0;
  let micros = BigInt(Date.now()) * 1000n;
  const clock = {
    now: () => new Date(Date.now() + aheadMs),
    uniqueMicros: () => {
      micros += 1n;
      return micros;
    },
  };
  const app = await aServer({ ...STATIC_TOKENS, ...environment }, { token: ADMIN, clock });
  return {
    app,
    moveClock(ms: number) {
      aheadMs += ms;
    },
  };
}
