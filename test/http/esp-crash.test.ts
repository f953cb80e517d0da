import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { aServer, eventually, type TestApp } from '../support/app.js';
import { cpuClock } from '../support/cpu-clock.js';
import { aDumpOf, sendAsComponent } from '../support/esp-crash.js';
import { fixture } from '../support/fixtures.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';
import { filesOf, rowCount } from '../support/stored-dumps.js';

const OPEN = { ESP_CRASH_ROUTES: 'true' };

async function aModel(app: TestApp, code = 'thermo_stat'): Promise<void> {
  await app.graphql(
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
    { input: { code, name: code } },
  );
}

async function anIngestKey(app: TestApp, input: object = {}): Promise<{ id: string; key: string }> {
  const { createIngestKey } = await app.graphql<{
    createIngestKey: { key: string; ingestKey: { id: string } };
  }>('mutation ($input: CreateIngestKeyInput!) { createIngestKey(input: $input) { key ingestKey { id } } }', {
    input: { modelCode: 'thermo_stat', name: 'esp-crash', ...input },
  });
  return { id: createIngestKey.ingestKey.id, key: createIngestKey.key };
}

/** `bzip2 -c` of `aDumpOf()`. */
const ARCHIVE = Buffer.from(
  'QlpoOTFBWSZTWUWYOCsAABTfgMAAQANvWCpAWAC6QpwgAAGgAEDVNDQ9TI0AM01PSDGmIwjTAAAPYsZkRC90XxtshDmSuidJiUjnxjmYVQrTRqILwErYPTpTAfF+LuSKcKEgizBwVg==',
  'base64',
);

interface Stored {
  chip: string;
  firmwareVersion: string;
  device: { id: string; serial: string; approval: string; model: { code: string } };
}

async function dumpsOf(app: TestApp): Promise<Stored[]> {
  const { coredumps } = await app.graphql<{ coredumps: { nodes: Stored[] } }>(
    '{ coredumps { nodes { chip firmwareVersion device { id serial approval model { code } } } } }',
  );
  return coredumps.nodes;
}

const aServerWithModel = async (environment: Record<string, string> = {}) => {
  const app = await aServer({ ...OPEN, ...environment });
  await aModel(app);
  return app;
};

describe('the dump of esp-crash’s component', () => {
  it('is stored byte by byte, for the device and the version that it names', async () => {
    const app = await aServerWithModel();
    const dump = aDumpOf({ before: await readFile(fixture('thermostat-1.0.0').dump('abort')) });

    const answer = await sendAsComponent(`${app.url}/dump`, dump);

    expect(answer).toEqual({ status: 200, text: 'OK\n', isErased: true });
    expect(await dumpsOf(app)).toMatchObject([
      {
        chip: 'esp32c3',
        firmwareVersion: '1.0.0',
        device: { serial: '68b6b341a58c', model: { code: 'thermo_stat' } },
      },
    ]);
    const [file = ''] = await filesOf(app);
    expect(await readFile(file)).toEqual(dump);
  });

  it('is stored once when it is sent twice', async () => {
    const app = await aServerWithModel();

    for (let time = 0; time < 2; time++) {
      expect(await sendAsComponent(`${app.url}/dump`, aDumpOf())).toMatchObject({ status: 200 });
    }

    expect(await rowCount(app)).toBe(1);
  });

  it('may have names that ours cannot have', async () => {
    const app = await aServerWithModel();
    const dump = aDumpOf({ project: 'Thermo-Stat', version: 'release/1.2..3-dirty', device: 'ä b/c' });

    await sendAsComponent(`${app.url}/dump`, dump);

    const [stored] = await dumpsOf(app);
    expect(stored?.firmwareVersion).toBe('release-1.2.3-dirty');
    expect(stored?.device.serial).toMatch(/^[A-Za-z0-9._:-]+$/);
  });

  it('without a device id is of the device "without-id", and the text that the id is printed with is none', async () => {
    const app = await aServerWithModel();

    await sendAsComponent(`${app.url}/dump`, aDumpOf({ device: '' }));
    await sendAsComponent(
      `${app.url}/dump`,
      Buffer.concat([aDumpOf({ device: '%s' }), aDumpOf({ device: 'a1' })]),
    );

    expect((await dumpsOf(app)).map(({ device }) => device.serial).sort()).toEqual(['a1', 'without-id']);
  });

  it('names its device at any place of a large dump', async () => {
    const app = await aServerWithModel();

    for (const size of [65_530, 65_536, 700_000]) {
      const dump = aDumpOf({ device: `at-${size}`, before: randomBytes(size) });
      expect(await sendAsComponent(`${app.url}/dump`, dump)).toMatchObject({ status: 200 });
    }

    expect((await dumpsOf(app)).map(({ device }) => device.serial)).toHaveLength(3);
  });

  it('is stored when all of it has arrived, also if the device does not wait for the answer', async () => {
    const app = await aServerWithModel();

    // Many archives in one: they are unpacked one by one, after all has arrived.
    const dump = Buffer.concat(Array.from({ length: 900 }, () => ARCHIVE));
    const answer = await sendAsComponent(`${app.url}/dump`, dump, { patienceMs: 100 });

    // The component erases its dump when no answer comes.
    expect(answer).toMatchObject({ status: -1, isErased: true });
    await eventually(async () => (await rowCount(app)) === 1, 'the dump is stored');
  });

  it('may be sent by hand with curl, also compressed', async () => {
    const app = await aServerWithModel();
    const dump = aDumpOf();
    const form = new FormData();
    form.set('file', new Blob([ARCHIVE]), '-');

    const response = await fetch(`${app.url}/dump`, { method: 'POST', body: form });

    expect(response.status).toBe(200);
    const [file = ''] = await filesOf(app);
    expect(await readFile(file)).toEqual(dump);
  });
});

describe('a dump that is not stored', () => {
  const refused = async (app: TestApp, dump: Uint8Array, path = '/dump', options = {}) => {
    const answer = await sendAsComponent(`${app.url}${path}`, dump, options);
    expect(await rowCount(app)).toBe(0);
    await eventually(async () => (await filesOf(app)).length === 0, 'no file is left');
    return answer;
  };
  const KEPT = { status: 503, isErased: false };

  it('stays in the device while the routes are closed', async () => {
    const app = await aServer();

    expect(await refused(app, aDumpOf())).toMatchObject({
      ...KEPT,
      text: expect.stringContaining('ESP_CRASH_ROUTES'),
    });
  });

  it('stays in the device while its model is missing, and arrives once that exists', async () => {
    const app = await aServer(OPEN);

    expect(await refused(app, aDumpOf())).toMatchObject({
      ...KEPT,
      text: expect.stringContaining('thermo_stat'),
    });
    await aModel(app);

    expect(await sendAsComponent(`${app.url}/dump`, aDumpOf())).toMatchObject({ status: 200 });
  });

  it.each([
    ['larger than the limit', { MAX_COREDUMP_BYTES: '1000' }, {}, randomBytes(200_000)],
    ['for a host name that is not allowed', {}, { host: 'crash.example.org' }, aDumpOf()],
    [
      'over the rate of its device',
      { DEVICE_UPLOADS_PER_MINUTE: '1', DEVICE_UPLOAD_BURST: '1' },
      {},
      aDumpOf(),
    ],
  ])('stays in the device when it is %s', async (_, environment, options, dump) => {
    const app = await aServerWithModel(environment);
    if ('DEVICE_UPLOADS_PER_MINUTE' in environment) {
      for (const version of ['a', 'b']) await sendAsComponent(`${app.url}/dump`, aDumpOf({ version }));
    }

    // Slower than the server's patience with others: the component reads the answer only at the end.
    const answer = await sendAsComponent(`${app.url}/dump`, Buffer.concat([dump, aDumpOf()]), {
      ...options,
      pauseMs: 2_500,
    });

    expect(answer).toMatchObject({ isErased: false, status: 503 });
  });

  it('stays in the device while too many uploads are in flight', async () => {
    const app = await aServerWithModel({ MAX_UPLOADS_IN_FLIGHT: '1' });
    const slow = sendAsComponent(`${app.url}/dump`, aDumpOf(), { pauseMs: 1_000 });
    await eventually(async () => {
      const metrics = await (await fetch(`${app.url}/metrics`)).text();
      return metrics.includes('iot_upload_coredump_in_flight 1');
    });

    expect(await sendAsComponent(`${app.url}/dump`, aDumpOf({ version: '2' }))).toMatchObject(KEPT);
    expect(await slow).toMatchObject({ status: 200 });
  });

  it('stays in the device when another page’s browser sent it', async () => {
    const app = await aServerWithModel();
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(aDumpOf())]), 'core.dmp');
    const headers = { Origin: 'http://evil.example' };

    expect((await fetch(`${app.url}/dump`, { method: 'POST', body: form, headers })).status).toBe(503);
    expect(await rowCount(app)).toBe(0);
  });

  it('leaves nothing when the network is gone in the middle', async () => {
    const app = await aServerWithModel();

    const cut = sendAsComponent(`${app.url}/dump`, aDumpOf({ before: randomBytes(500_000) }), {
      cutAfter: 300_000,
      pauseMs: 1_000,
    });
    await eventually(async () => (await filesOf(app)).length === 1, 'some of it has arrived');
    await cut;

    await eventually(async () => (await filesOf(app)).length === 0, 'no file is left');
    expect(await rowCount(app)).toBe(0);
  });

  it('holds up nobody, whatever is in it', async () => {
    const app = await aServerWithModel({ MAX_COREDUMP_BYTES: '4000000' });
    const spentMs = cpuClock();

    const answer = await refused(app, Buffer.from('ESP_CRASH:'.repeat(390_000)));

    expect(answer.status).toBe(400);
    expect(spentMs()).toBeLessThan(5_000);
  });

  it('is given up when no later try could store it: nobody could say whose it is', async () => {
    const app = await aServerWithModel();

    expect(await refused(app, Buffer.from('no identity'))).toMatchObject({
      status: 400,
      text: expect.stringContaining('esp_crash_identifier_setup'),
    });
    expect(await refused(app, Buffer.alloc(0))).toMatchObject({ status: 400 });
    const raw = await fetch(`${app.url}/dump`, { method: 'POST', body: 'a raw dump' });
    expect([raw.status, await raw.text()]).toEqual([400, expect.stringContaining('curl -F file=@FILE')]);
  });

  it('that arrives during a stop gets an answer, and is stored if it can be', async () => {
    const app = await aServerWithModel({ SHUTDOWN_GRACE_MS: '5000' });
    const slow = sendAsComponent(`${app.url}/dump`, aDumpOf({ version: 'slow' }), { pauseMs: 1_500 });
    await eventually(async () => {
      const metrics = await (await fetch(`${app.url}/metrics`)).text();
      return metrics.includes('iot_upload_coredump_in_flight 1');
    });

    const stopping = app.close();
    const late = await sendAsComponent(`${app.url}/dump`, aDumpOf({ version: 'late' }));

    expect([late.status, (await slow).status]).toEqual([200, 200]);
    await stopping;
  });
});

describe('with authentication', () => {
  const aClosedServer = async () => {
    const app = await aServer({ ...OPEN, ...STATIC_TOKENS }, { token: ADMIN });
    await aModel(app);
    return app;
  };
  const send = (app: TestApp, path = '/dump', dump = aDumpOf()) => sendAsComponent(`${app.url}${path}`, dump);

  it('a model is open to esp-crash by an ingest key of this name, with its limits and its approval', async () => {
    const app = await aClosedServer();
    expect(await send(app)).toMatchObject({
      isErased: false,
      text: expect.stringContaining('"esp-crash"'),
    });
    const { id } = await anIngestKey(app, { newDevicesPerHour: 1, requiresApproval: true });

    expect(await send(app)).toMatchObject({ status: 200 });
    expect(await send(app, '/dump', aDumpOf({ device: 'another' }))).toMatchObject({ isErased: false });

    expect(await dumpsOf(app)).toMatchObject([{ device: { serial: '68b6b341a58c', approval: 'PENDING' } }]);
    await app.graphql('mutation ($id: ID!) { revokeIngestKey(input: { id: $id }) { ingestKey { id } } }', {
      id,
    });
    expect(await send(app, '/dump', aDumpOf({ version: '2' }))).toMatchObject({ isErased: false });
    expect(await rowCount(app)).toBe(1);
  });

  it('a key in the URL says the model, whatever the project is', async () => {
    const app = await aClosedServer();
    const { key } = await anIngestKey(app, { name: 'line 2' });
    const dump = aDumpOf({ project: 'another-name' });

    expect(await send(app, `/dump?key=${key}`, dump)).toMatchObject({ status: 200 });
    expect(await send(app, '/dump?key=cdk_wrong', dump)).toMatchObject({ isErased: false });

    expect(await dumpsOf(app)).toMatchObject([{ device: { model: { code: 'thermo_stat' } } }]);
  });

  it('a rejected device gives its dumps up, one with a token of its own keeps them', async () => {
    const app = await aClosedServer();
    await anIngestKey(app);
    await send(app);
    const [stored] = await dumpsOf(app);
    await app.graphql('mutation ($id: ID!) { rejectDevice(input: { id: $id }) { device { id } } }', {
      id: stored?.device.id,
    });
    await app.graphql(
      'mutation ($input: CreateDeviceInput!) { createDevice(input: $input) { device { id } token } }',
      { input: { modelCode: 'thermo_stat', serial: 'own-token' } },
    );

    expect(await send(app, '/dump', aDumpOf({ version: '2' }))).toMatchObject({ status: 403 });
    expect(await send(app, '/dump', aDumpOf({ device: 'own-token' }))).toMatchObject({ isErased: false });
    expect(await rowCount(app)).toBe(1);
  });
});
