import { pino } from 'pino';
import { describe, expect, inject, it } from 'vitest';
import {
  aDevice,
  aServer,
  bearer,
  errorOf,
  eventually,
  stored,
  type TestApp,
  upload,
} from '../support/app.js';
import { anIngestKey, boot, devicesOf, uploadBySerial } from '../support/enrolment.js';
import { aSocket } from '../support/http.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';
import { filesOf, rowCount } from '../support/stored-dumps.js';

const isPostgresql = inject('postgresql') !== undefined;
const locked = () => aServer(STATIC_TOKENS, { token: ADMIN });

describe('a device with an ingest key and a serial that nobody knows', () => {
  it('is registered with its first dump, which is stored as any other', async () => {
    const app = await locked();
    const { id, key } = await anIngestKey(app);

    const response = await uploadBySerial(app, 'SN:00-1.a_B', { key });

    expect(response.status).toBe(201);
    const answer = (await response.json()) as { coredumpId: string; device: { key: string } };
    expect(answer.device.key).toMatch(/^[a-z0-9]{8}$/);
    const [device, ...others] = await devicesOf(app);
    expect(others).toEqual([]);
    expect(device).toMatchObject({
      key: answer.device.key,
      serial: 'SN:00-1.a_B',
      approval: 'APPROVED',
      coredumpCount: 1,
      ingestKey: { id },
    });
    const { coredump } = await app.graphql<{ coredump: object }>(
      'query ($id: ID!) { coredump(id: $id) { device { serial hasToken lastSeenAt model { code } } } }',
      { id: answer.coredumpId },
    );
    expect(coredump).toEqual({
      device: {
        serial: 'SN:00-1.a_B',
        hasToken: false,
        lastSeenAt: expect.any(String),
        model: { code: 'thermostat' },
      },
    });
  });

  it('is the same device with the next one, and is not told its key again', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);
    await uploadBySerial(app, 'SN1', { key });

    const response = await uploadBySerial(app, 'SN1', { key, body: 'another crash' });

    expect(response.status).toBe(201);
    expect(await response.json()).not.toHaveProperty('device');
    expect(await devicesOf(app)).toMatchObject([{ serial: 'SN1', coredumpCount: 2 }]);
  });

  it('is in the audit and counted, with the key by which and the address from which it came', async () => {
    const app = await locked();
    const { key, hint } = await anIngestKey(app, { name: 'line 7' });

    await uploadBySerial(app, 'SN1', { key });

    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: object[] } }>(
      '{ auditEvents(filter: { action: ["registerDevice"] }) { nodes { actor role via detail address targetType } } }',
    );
    expect(auditEvents.nodes).toEqual([
      {
        actor: `ingest key line 7 (…${hint})`,
        role: 'DEVICE',
        via: 'INGEST_KEY',
        detail: 'serial SN1, model thermostat',
        address: '127.0.0.1',
        targetType: 'DEVICE',
      },
    ]);
    expect(await metricsOf(app)).toContain('iot_device_registrations_total{outcome="registered"} 1');
  });

  it.each([
    ['without a serial', {}, 400, 'device_serial is missing'],
    ['with a serial that is none', { device_serial: 'SN 1/..' }, 400, 'device_serial must be'],
    ['with two serials', { device_serial: 'SN1', other: 'SN2' }, 400, 'more than once'],
    ['that names another model', { device_serial: 'SN1', model: 'pump' }, 403, 'of the model "thermostat"'],
    ['that names a key for itself', { device_serial: 'SN1', device_key: 'mine' }, 400, 'device_key'],
  ])('is refused %s', async (_, { other, ...query }: Record<string, string>, status, message) => {
    const app = await locked();
    const { key } = await anIngestKey(app);
    const search = new URLSearchParams({ chip: 'esp32c3', firmware_version: '1.0.0', ...query });
    if (other !== undefined) search.append('device_serial', other);

    const response = await fetch(`${app.url}/api/iot/coredump?${search}`, {
      method: 'POST',
      headers: bearer(key),
      body: 'dump',
    });

    expect(await errorOf(response)).toMatchObject({ status, message: expect.stringContaining(message) });
    expect(await devicesOf(app)).toEqual([]);
  });

  it('is not registered by a request that brings no dump', async () => {
    const app = await aServer({ ...STATIC_TOKENS, MAX_COREDUMP_BYTES: '1000' }, { token: ADMIN });
    const { key } = await anIngestKey(app);
    const tooLarge = uploadBySerial(app, 'SN1', { key, body: 'x'.repeat(1001) });
    const empty = uploadBySerial(app, 'SN1', { key, body: '' });
    const badChip = uploadBySerial(app, 'SN1', { key, query: { chip: 'a/b' } });
    expect([(await tooLarge).status, (await empty).status, (await badChip).status]).toEqual([413, 400, 400]);

    const { socket, send } = aSocket(app.url);
    send(
      'POST /api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_serial=SN1 HTTP/1.1\r\nHost: localhost\r\n' +
        `Authorization: Bearer ${key}\r\nContent-Length: 500\r\n\r\nhalf of it`,
    );
    const metric = (line: string) => async () => (await metricsOf(app)).includes(line);
    await eventually(metric('iot_upload_coredump_in_flight 1'), 'half of it has arrived');
    socket.destroy();
    await eventually(metric('iot_upload_coredump_total{status="error"} 4'), 'the upload was cut');

    expect(await devicesOf(app)).toEqual([]);
    expect([await filesOf(app), await rowCount(app)]).toEqual([[], 0]);
  });

  it('stays the same device where a person has moved it to another model', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);
    await anIngestKey(app, { modelCode: 'pump' });
    await uploadBySerial(app, 'SN1', { key });
    const [device] = await devicesOf(app);
    await app.graphql(
      'mutation ($id: ID!) { updateDevice(input: { id: $id, modelCode: "pump" }) { device { id } } }',
      { id: device?.id },
    );

    const response = await uploadBySerial(app, 'SN1', { key, body: 'again' });

    expect(response.status).toBe(201);
    expect(await devicesOf(app)).toMatchObject([{ id: device?.id, coredumpCount: 2 }]);
  });
});

describe('an ingest key', () => {
  it('is shown once, and stored as a hash with its last characters', async () => {
    const app = await locked();

    const { key, hint } = await anIngestKey(app);

    expect(key).toMatch(/^cdk_[\w-]{43}$/);
    expect(key.endsWith(hint)).toBe(true);
    const { ingestKeys } = await app.graphql<{ ingestKeys: { nodes: object[] } }>(
      `{ ingestKeys(modelCode: "thermostat") { totalCount nodes {
        name hint model { code } createdBy lastUsedAt revokedAt newDevicesPerHour requiresApproval deviceCount } } }`,
    );
    expect(ingestKeys).toEqual({
      totalCount: 1,
      nodes: [
        {
          name: 'line 1',
          hint,
          model: { code: 'thermostat' },
          createdBy: expect.stringMatching(/^token [0-9a-f]{8}$/),
          lastUsedAt: null,
          revokedAt: null,
          newDevicesPerHour: 100,
          requiresApproval: false,
          deviceCount: 0,
        },
      ],
    });
    expect(JSON.stringify(ingestKeys)).not.toContain(key);
  });

  it('says when it was used, and how many devices it has registered', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);

    await uploadBySerial(app, 'SN1', { key });
    await uploadBySerial(app, 'SN2', { key });

    const used = async () => {
      const { deviceModel } = await app.graphql<{
        deviceModel: { ingestKeys: { nodes: Array<{ lastUsedAt: string | null; deviceCount: number }> } };
      }>('{ deviceModel(code: "thermostat") { ingestKeys { nodes { lastUsedAt deviceCount } } } }');
      return deviceModel.ingestKeys.nodes[0];
    };
    expect(await used()).toEqual({ lastUsedAt: expect.any(String), deviceCount: 2 });
  });

  it('is refused from the next request on when it was revoked, also for devices that it registered', async () => {
    const app = await locked();
    const { id, key } = await anIngestKey(app);
    await uploadBySerial(app, 'SN1', { key });

    await revoke(app, id);

    expect(await errorOf(await uploadBySerial(app, 'SN1', { key, body: 'b' }))).toMatchObject({
      status: 401,
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('revoked'),
    });
    expect((await uploadBySerial(app, 'SN2', { key })).status).toBe(401);
    expect((await boot(app, { device_serial: 'SN1', firmware_version: '1' }, { token: key })).status).toBe(
      401,
    );
    expect(await devicesOf(app)).toMatchObject([{ serial: 'SN1', coredumpCount: 1 }]);
  });

  it('that was revoked does not lock out the devices with a good one at the same address', async () => {
    const app = await aServer({ ...STATIC_TOKENS, AUTH_FAILURES_PER_MINUTE: '2' }, { token: ADMIN });
    const old = await anIngestKey(app);
    const { key } = await anIngestKey(app, { name: 'line 2' });
    await revoke(app, old.id);

    for (const serial of ['SN1', 'SN2', 'SN3']) {
      expect((await uploadBySerial(app, serial, { key: old.key })).status).toBe(401);
    }

    expect((await uploadBySerial(app, 'SN4', { key })).status).toBe(201);
  });

  it.each(['device_serial', 'model', 'device_key'])(
    'that was put into %s is refused, and neither shown nor logged',
    async (parameter) => {
      const lines: string[] = [];
      const app = await aServer(STATIC_TOKENS, {
        token: ADMIN,
        log: pino({}, { write: (line: string) => void lines.push(line) }),
      });
      const { key } = await anIngestKey(app);

      const response = await uploadBySerial(app, 'SN1', { key, query: { [parameter]: key } });

      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain(key);
      expect(await devicesOf(app)).toEqual([]);
      expect(lines.join('')).toContain('core dump refused');
      expect(lines.join('')).not.toContain(key);
    },
  );

  it('without the word Bearer is refused with how to send it', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);

    const response = await uploadBySerial(app, 'SN1', { headers: { Authorization: key } });

    expect(await errorOf(response)).toMatchObject({
      status: 401,
      message: expect.stringContaining('"Authorization: Bearer …"'),
    });
  });

  it.runIf(isPostgresql)(
    'is refused by every server when one has revoked it (needs PostgreSQL)',
    async () => {
      const app = await locked();
      const other = await app.another();
      const { id, key } = await anIngestKey(app);
      expect((await uploadBySerial(other, 'SN1', { key })).status).toBe(201);

      await revoke(app, id);

      expect((await uploadBySerial(other, 'SN1', { key, body: 'b' })).status).toBe(401);
    },
  );

  it('opens no other door', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);
    const { token } = await aDevice(app);
    const { coredumpId } = await stored(app, 'dump', { headers: bearer(token) });
    const dump = encodeURIComponent(coredumpId);
    const paths = [
      '/metrics',
      '/schema.graphql',
      `/api/coredumps/${dump}/download`,
      `/api/coredumps/${dump}/core.elf`,
    ];

    const statuses = paths.map(
      async (path) => (await fetch(app.url + path, { headers: bearer(key) })).status,
    );
    const query = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...bearer(key) },
      body: JSON.stringify({ query: '{ viewer { name } }' }),
    });

    expect(await Promise.all(statuses)).toEqual([403, 403, 403, 403]);
    expect(await query.text()).toContain('An ingest key may only upload crashes and boot reports.');
  });

  it('never speaks for a device with a token of its own, also when that was revoked', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);
    const { id, token } = await aDevice(app);
    await app.graphql(
      'mutation ($id: ID!) { updateDevice(input: { id: $id, serial: "SN1" }) { device { id } } }',
      { id },
    );

    const refused = await errorOf(await uploadBySerial(app, 'SN1', { key }));

    expect(refused).toMatchObject({
      status: 403,
      message: expect.stringContaining('has a token of its own'),
    });
    const own = { device_serial: 'SN1', chip: 'esp32c3', firmware_version: '1.0.0' };
    expect((await uploadBySerial(app, 'SN1', { key: token, query: own })).status).toBe(201);
    await app.graphql('mutation ($id: ID!) { revokeDeviceToken(input: { id: $id }) { device { id } } }', {
      id,
    });
    expect(await errorOf(await uploadBySerial(app, 'SN1', { key }))).toMatchObject({
      status: 403,
      message: expect.stringContaining('was revoked'),
    });
    expect(await devicesOf(app)).toHaveLength(1);
  });

  it('is refused for a device that registered itself and has a token since', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);
    await uploadBySerial(app, 'SN1', { key });
    const [device] = await devicesOf(app);
    const { rotateDeviceToken } = await app.graphql<{ rotateDeviceToken: { token: string } }>(
      'mutation ($id: ID!) { rotateDeviceToken(input: { id: $id }) { token } }',
      { id: device?.id },
    );

    expect((await uploadBySerial(app, 'SN1', { key, body: 'b' })).status).toBe(403);
    expect(
      (await upload(app, 'c', { device: device?.key ?? '', headers: bearer(rotateDeviceToken.token) }))
        .status,
    ).toBe(201);
  });

  it('goes with its model', async () => {
    const app = await locked();
    const { key } = await anIngestKey(app);
    const { deviceModel } = await app.graphql<{ deviceModel: { id: string } }>(
      '{ deviceModel(code: "thermostat") { id } }',
    );
    await app.graphql(
      'mutation ($id: ID!) { deleteDeviceModel(input: { id: $id }) { deletedDeviceModelId } }',
      {
        id: deviceModel.id,
      },
    );

    expect((await uploadBySerial(app, 'SN1', { key })).status).toBe(401);
  });

  it.each([
    [{ name: '' }, 'input.name'],
    [{ newDevicesPerHour: 0 }, 'input.newDevicesPerHour'],
    [{ newDevicesPerHour: 1_000_001 }, 'input.newDevicesPerHour'],
    [{ modelCode: 'none' }, 'input.modelCode'],
  ])('is not made of %j', async (wrong, field) => {
    const app = await locked();
    await anIngestKey(app);
    const input = { modelCode: 'thermostat', name: 'x', ...wrong };

    const made = app.graphql('mutation ($i: CreateIngestKeyInput!) { createIngestKey(input: $i) { key } }', {
      i: input,
    });

    await expect(made).rejects.toThrow(`"field":"${field}"`);
  });
});

describe('while authentication is off', () => {
  it('a model and a serial are enough for the first curl', async () => {
    const app = await aServer();
    await anIngestKey(app);

    const response = await uploadBySerial(app, 'SN1', { query: { model: 'thermostat' } });

    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ device: { key: expect.any(String) } });
    expect((await uploadBySerial(app, 'SN1', { body: 'b', query: { model: 'thermostat' } })).status).toBe(
      201,
    );
    expect(await devicesOf(app)).toMatchObject([{ serial: 'SN1', coredumpCount: 2, ingestKey: null }]);
  });

  it('an unknown model is named, with how to create it', async () => {
    const app = await aServer();

    expect(await errorOf(await uploadBySerial(app, 'SN1', { query: { model: 'pump' } }))).toMatchObject({
      status: 404,
      message: expect.stringContaining('createDeviceModel(input: {code, name})'),
    });
    expect(await errorOf(await uploadBySerial(app, 'SN1', {}))).toMatchObject({
      status: 400,
      message: expect.stringContaining('model is missing'),
    });
  });

  it('is enough for nothing once authentication is on', async () => {
    const app = await locked();
    await anIngestKey(app);

    expect((await uploadBySerial(app, 'SN1', { query: { model: 'thermostat' } })).status).toBe(401);
    expect(await devicesOf(app)).toEqual([]);
  });
});

async function revoke(app: TestApp, id: string): Promise<void> {
  await app.graphql(
    'mutation ($id: ID!) { revokeIngestKey(input: { id: $id }) { ingestKey { revokedAt } } }',
    { id },
  );
}

async function metricsOf(app: TestApp): Promise<string> {
  return (await fetch(`${app.url}/metrics`, { headers: bearer(ADMIN) })).text();
}
