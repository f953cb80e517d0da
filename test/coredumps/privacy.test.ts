import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../src/platform/durations.js';
import { aDevice, aServer, bearer, errorOf, eventually, stored, type TestApp } from '../support/app.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { answerJson, aSidecar } from '../support/sidecar.js';

const OUTPUT = [
  '#0  send (key=0x3fc8ea9c "the password") at main.c:3',
  '======================== DEVICE VALUES ========================',
  '  ssid = "the network"',
  '======================= DEVICE LOG LINES ======================',
  '  ===== I (1) wifi: key the secret',
  '====================== CORE DUMP MEMORY CONTENTS ========================',
  '0x3fc88850:\t0x70617373',
  '===================== ESP32 CORE DUMP END =====================',
].join('\n');
const REPORT = {
  reason: 'abort()',
  deviceIdentity: { serial: '7cdfa1e5d3c8', firmwareVersion: '1.0.0', bootCount: 3, resetReason: 'panic' },
  values: [
    { name: 'wifi_rssi', type: 'integer', value: '-61' },
    { name: 'ssid', type: 'text', value: 'the network' },
  ],
  logLines: ['I (1) wifi: key the secret'],
  tasks: [
    {
      name: 'main',
      tcb: '0x1',
      frames: [{ index: 0, pc: '0x2', arguments: [{ name: 'key', value: '0x3fc8ea9c "the password"' }] }],
    },
  ],
};

describe('raw dumps of a model', () => {
  it('go once they were read, where the model says so; row and report stay', async () => {
    const app = await aServerWithParser();
    await setPrivacy(app, { removeRawOnceRead: true });
    const { token } = await aFirmwaredDevice(app);

    const { coredumpId } = await stored(app, 'dump', { headers: bearer(token) });

    const dump = await eventually(async () => {
      const now = await dumpOf(app, coredumpId);
      return now.rawRemovedAt === null ? null : now;
    }, 'the raw bytes were removed');
    expect(dump).toMatchObject({ parseStatus: 'PARSED', report: { reason: 'abort()' } });
    expect(await filesOf(app)).toEqual([]);
    expect(await errorOf(await download(app, coredumpId, ADMIN))).toMatchObject({
      status: 410,
      code: 'GONE',
    });
    await expect(reparse(app, coredumpId)).rejects.toThrow(/CONFLICT.*|were removed/);
    expect(await dumpOf(app, coredumpId)).toMatchObject({
      parseStatus: 'PARSED',
      report: { reason: 'abort()' },
    });
  });

  it('go after so many days, read or not, and newer ones stay', async () => {
    let aheadMs = 0;
    let micros = BigInt(Date.now()) * 1000n;
    const clock = {
      now: () => new Date(Date.now() + aheadMs),
      uniqueMicros: () => {
        micros += 1n;
        return micros;
      },
    };
    const app = await aServer(STATIC_TOKENS, { token: ADMIN, clock });
    const { token } = await aDevice(app);
    const old = await stored(app, 'old', { headers: bearer(token) });
    aheadMs = 5 * DAY_MS;
    const young = await stored(app, 'young', { headers: bearer(token) });
    expect((await download(app, old.coredumpId, VIEWER)).status).toBe(200);

    aheadMs = 8 * DAY_MS;
    await setPrivacy(app, { keepRawDays: 7 });

    await eventually(async () => (await filesOf(app)).length === 1, 'the old one was removed');
    expect((await download(app, old.coredumpId, VIEWER)).status).toBe(410);
    expect((await download(app, young.coredumpId, VIEWER)).status).toBe(200);
  });

  it('are not read again when a filter asks for all', async () => {
    const app = await aServerWithParser();
    await setPrivacy(app, { removeRawOnceRead: true });
    const { token } = await aFirmwaredDevice(app);
    const { coredumpId } = await stored(app, 'dump', { headers: bearer(token) });
    await eventually(async () => (await dumpOf(app, coredumpId)).rawRemovedAt !== null, 'removed');

    const { reparseCoredumps } = await app.graphql<{ reparseCoredumps: { count: number } }>(
      'mutation { reparseCoredumps(input: { filter: {} }) { count } }',
    );

    expect(reparseCoredumps.count).toBe(0);
    expect((await dumpOf(app, coredumpId)).parseStatus).toBe('PARSED');
  });

  it('can be for admins only, over links as well', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);
    const { coredumpId } = await stored(app, 'dump', { headers: bearer(token) });
    await setPrivacy(app, { rawForAdminsOnly: true });
    const link = async (who: string) => {
      const query = 'query ($id: ID!) { coredump(id: $id) { downloadUrl } }';
      const { coredump } = await ask<{ coredump: { downloadUrl: string } }>(app, who, query, {
        id: coredumpId,
      });
      return fetch(new URL(coredump.downloadUrl, app.url));
    };

    expect((await download(app, coredumpId, ADMIN)).status).toBe(200);
    expect(await errorOf(await download(app, coredumpId, VIEWER))).toMatchObject({ status: 403 });
    expect((await link(ADMIN)).status).toBe(200);
    expect((await link(VIEWER)).status).toBe(403);
  });

  it.each([0, -1, 100_000])('are not kept for %d days', async (keepRawDays) => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    await aDevice(app);

    await expect(setPrivacy(app, { keepRawDays })).rejects.toThrow('BAD_USER_INPUT');
  });
});

it('viewers read what happened, admins also what memory held', async () => {
  const app = await aServerWithParser();
  const { token } = await aFirmwaredDevice(app);
  const { coredumpId: id } = await stored(app, 'dump', { headers: bearer(token) });
  await eventually(async () => (await dumpOf(app, id)).parseStatus === 'PARSED', 'it was read');
  const query = `query ($id: ID!) { coredump(id: $id) {
    parsedOutput
    report {
      reason tasks { frames { arguments { name value } } }
      deviceIdentity { serial model bootCount resetReason } values { name type value } logLines
    }
  } }`;

  const asAdmin = JSON.stringify(await ask(app, ADMIN, query, { id }));
  const asViewer = JSON.stringify(await ask(app, VIEWER, query, { id }));

  expect(asAdmin).toContain('the password');
  expect(asAdmin).toContain('0x70617373');
  expect(asAdmin).toMatch(/"value":"the network".*"logLines":\["I \(1\) wifi: key the secret"\]/);
  expect(asViewer).not.toMatch(/the password|0x70617373|the network|the secret/);
  expect(asViewer).toContain('{"serial":"7cdfa1e5d3c8","model":null,"bootCount":3,"resetReason":"panic"}');
  expect(asViewer).toContain('{"name":"wifi_rssi","type":"INTEGER","value":"-61"}');
  expect(asViewer).toMatch(/abort\(\).*0x3fc8ea9c <redacted>/);
});

it('viewers find dumps only by what they may read', async () => {
  const app = await aServerWithParser();
  const { token } = await aFirmwaredDevice(app);
  const ids: string[] = [];
  for (const bytes of ['a', 'b', 'c']) {
    const { coredumpId } = await stored(app, bytes, { headers: bearer(token) });
    await eventually(async () => (await dumpOf(app, coredumpId)).parseStatus === 'PARSED', 'it was read');
    ids.unshift(coredumpId);
  }
  const hits = async (who: string, query: string, page = 'first: 10') => {
    const { search } = await ask<{ search: { coredumps: Hits } }>(
      app,
      who,
      `query ($query: String!) { search(query: $query) { coredumps(${page}) {
        nodes { coredump { id } snippet { text } } pageInfo { hasNextPage endCursor }
      } } }`,
      { query },
    );
    return search.coredumps;
  };
  const found = ({ nodes }: Hits) => nodes.map(({ coredump }) => coredump.id);

  for (const query of ['secret', '"the network"', 'password', 'send secret']) {
    expect(found(await hits(ADMIN, query)), query).toEqual(ids);
    expect(await hits(VIEWER, query), query).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false } });
  }
  const listed = async (who: string, search: string) => {
    const { coredumps, device } = await ask<{ coredumps: Counted; device: { coredumps: Counted } }>(
      app,
      who,
      `query ($filter: CoredumpFilter) {
        coredumps(filter: $filter) { totalCount }
        device(key: "dev1") { coredumps(filter: $filter) { totalCount } }
      }`,
      { filter: { search } },
    );
    const file = await fetch(`${app.url}/api/coredumps.json?q=${search}`, { headers: bearer(who) });
    return [coredumps.totalCount, device.coredumps.totalCount, ((await file.json()) as unknown[]).length];
  };
  for (const search of ['secret', 'network', 'passw']) {
    expect(await listed(ADMIN, search), search).toEqual([3, 3, 3]);
    expect(await listed(VIEWER, search), search).toEqual([0, 0, 0]);
  }
  expect(await listed(VIEWER, 'ABORT')).toEqual([3, 3, 3]);
  const seen = await hits(VIEWER, 'send');
  const firstTwo = await hits(VIEWER, 'send', 'first: 2');
  const rest = await hits(VIEWER, 'send', `first: 2, after: "${firstTwo.pageInfo.endCursor}"`);
  const oldest = await hits(VIEWER, 'send', 'last: 2');

  expect(found(seen)).toEqual(ids);
  expect(JSON.stringify(seen)).toContain('<redacted>');
  expect(JSON.stringify(seen)).not.toContain('the password');
  expect([found(firstTwo), firstTwo.pageInfo.hasNextPage]).toEqual([ids.slice(0, 2), true]);
  expect([found(rest), rest.pageInfo.hasNextPage]).toEqual([ids.slice(2), false]);
  expect(found(oldest)).toEqual(ids.slice(1));
});

interface Counted {
  totalCount: number;
}

interface Hits {
  nodes: Array<{ coredump: { id: string }; snippet: Array<{ text: string }> }>;
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

async function aServerWithParser(): Promise<TestApp> {
  const sidecar = await aSidecar((_, response) =>
    answerJson(response, 200, { output: OUTPUT, report: REPORT }),
  );
  const app = await aServer({ ...STATIC_TOKENS, ...sidecar.environment }, { token: ADMIN });
  await app.graphql(
    'mutation { createDeviceModel(input: { code: "thermostat", name: "T" }) { deviceModel { id } } }',
  );
  return app;
}

async function aFirmwaredDevice(app: TestApp) {
  await uploadFirmware(app, { elf: aFirmwareElf({ version: '1.0.0' }), headers: bearer(ADMIN) });
  return aDevice(app);
}

async function setPrivacy(app: TestApp, changes: object): Promise<void> {
  await app.graphql(
    `mutation ($input: SetModelPrivacyInput!) {
      setModelPrivacy(input: $input) {
        deviceModel { privacy { removeRawOnceRead keepRawDays rawForAdminsOnly } }
      }
    }`,
    { input: { modelCode: 'thermostat', ...changes } },
  );
}

async function dumpOf(app: TestApp, id: string) {
  const { coredump } = await app.graphql<{
    coredump: { parseStatus: string; rawRemovedAt: string | null; report: { reason: string } | null };
  }>('query ($id: ID!) { coredump(id: $id) { parseStatus rawRemovedAt report { reason } } }', { id });
  return coredump;
}

function reparse(app: TestApp, id: string): Promise<unknown> {
  return app.graphql('mutation ($id: ID!) { reparseCoredump(input: { id: $id }) { coredump { id } } }', {
    id,
  });
}

function download(app: TestApp, id: string, token: string): Promise<Response> {
  return fetch(`${app.url}/api/coredumps/${encodeURIComponent(id)}/download`, { headers: bearer(token) });
}

async function filesOf(app: TestApp): Promise<string[]> {
  const names = await readdir(app.config.coredumpsDir, { recursive: true });
  return names.filter((name) => name.endsWith('.dmp'));
}

async function ask<Data>(app: TestApp, token: string, query: string, variables: object): Promise<Data> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ query, variables }),
  });
  return ((await response.json()) as { data: Data }).data;
}
