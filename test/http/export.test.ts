import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { csvCell } from '../../src/http/export-formats.js';
import { aDevice, aServer, bearer, stored, type TestApp } from '../support/app.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { sql } from '../support/sql.js';

type Row = Record<string, string>;

async function fileOf(app: TestApp, address: string, token?: string) {
  const response = await fetch(`${app.url}${address}`, { headers: bearer(token) });
  return { response, text: await response.text() };
}

async function csvOf(app: TestApp, address: string): Promise<Row[]> {
  const { response, text } = await fileOf(app, address);
  expect(response.status, text).toBe(200);
  return Papa.parse<Row>(text.trimEnd(), { header: true }).data;
}

/** Two devices, one with a hostile name, and four dumps. */
async function aWorld(): Promise<TestApp> {
  const app = await aServer({ MAX_COREDUMPS: '100' });
  await aDevice(app, { key: 'dev1' });
  await aDevice(app, { key: 'dev2' });
  await app.graphql(
    `mutation { createDevice(input: { modelCode: "thermostat", key: "dev3", name: "=HYPERLINK(\\"http://x\\"),\\"é" }) { token } }`,
  );
  for (const [device, version] of [
    ['dev1', '1.0.0'],
    ['dev1', '1.1.0'],
    ['dev3', '1.1.0'],
    ['dev2', '2.0.0'],
  ] as const)
    await stored(app, `${device} ${version}`, { device, version });
  return app;
}

describe('exports of lists', () => {
  it('have what the list has, with its filters, as CSV and as JSON', async () => {
    const app = await aWorld();
    const { coredumps } = await app.graphql<{ coredumps: { nodes: Array<{ id: string; sha256: string }> } }>(
      '{ coredumps(filter: { crashVersion: ["1.1.0"] }) { nodes { id sha256 } } }',
    );

    const rows = await csvOf(app, '/api/coredumps.csv?version=1.1.0');
    const json = JSON.parse((await fileOf(app, '/api/coredumps.json?version=1.1.0')).text) as Row[];

    expect(rows).toHaveLength(2);
    expect(rows.map(({ id, sha256 }) => ({ id, sha256 }))).toEqual(coredumps.nodes);
    expect(json.map(({ id, sha256 }) => ({ id, sha256 }))).toEqual(coredumps.nodes);
    expect(rows[0]?.uploaded_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await csvOf(app, '/api/coredumps.csv')).toHaveLength(4);
    expect(await csvOf(app, '/api/coredumps.csv?device=dev1&since=24h')).toHaveLength(2);
    expect(await csvOf(app, '/api/coredumps.csv?to=2020-01-01')).toHaveLength(0);
    expect((await csvOf(app, '/api/devices.csv?q=dev')).map(({ key }) => key)).toEqual([
      'dev3',
      'dev2',
      'dev1',
    ]);
    expect((await fileOf(app, '/api/crash-groups.json')).text).toBe('[]\n');
  });

  it('name the version that crashed, and the reported one beside it', async () => {
    const app = await aWorld();
    await sql(app, `UPDATE "Coredump" SET "crashVersion" = '1.9.0' WHERE "firmwareVersion" = '2.0.0'`);

    const rows = await csvOf(app, '/api/coredumps.csv?version=1.9.0');

    expect(rows).toEqual([expect.objectContaining({ version: '1.9.0', reported_version: '2.0.0' })]);
  });

  it('let no cell become a formula, and keep every other letter', async () => {
    const app = await aWorld();

    const [row] = await csvOf(app, '/api/devices.csv?q=dev3');

    expect(row?.name).toBe(`'=HYPERLINK("http://x"),"é`);
    expect(['=1', '+1', '-1', '@a', '\t=1', ' =1'].map(csvCell)).toEqual([
      `'=1`,
      `'+1`,
      `'-1`,
      `'@a`,
      `'\t=1`,
      `' =1`,
    ]);
    expect([csvCell(-1.5), csvCell(null), csvCell('a-b'), csvCell('a\nb')]).toEqual([
      '-1.5',
      '',
      'a-b',
      '"a\nb"',
    ]);
  });

  it.each([
    ['coredumps', 'status=perhaps', 'status'],
    ['coredumps', 'stauts=error', 'stauts'],
    ['coredumps', 'from=yesterday', 'from'],
    ['coredumps', 'version=1&version=2', 'version'],
    ['coredumps', 'q=a%00b', 'q'],
    ['coredumps', `q=${'x'.repeat(201)}`, 'q'],
    ['coredumps', 'build=17', 'build'],
    ['crash-groups', 'state=closed', 'state'],
    ['devices', 'approval=maybe', 'approval'],
  ])('refuse a wrong filter by its name: /api/%s.csv?%s', async (list, search, name) => {
    const app = await aServer();

    const { response, text } = await fileOf(app, `/api/${list}.csv?${search}`);

    expect(response.status).toBe(400);
    expect((JSON.parse(text) as { error: { message: string } }).error.message).toContain(`"${name}"`);
  });

  it('are for viewers and not for devices', async () => {
    const app = await aServer(STATIC_TOKENS, { token: ADMIN });
    const { token } = await aDevice(app);

    const statusOf = async (who?: string) => (await fileOf(app, '/api/devices.csv', who)).response.status;

    expect([await statusOf(VIEWER), await statusOf(ADMIN), await statusOf(token), await statusOf()]).toEqual([
      200, 200, 403, 401,
    ]);
  });

  it('read a list in windows, and stop when the client has gone', async () => {
    const app = await aServer();
    await aDevice(app);
    for (let from = 0; from < 1_600; from += 200) {
      const devices = Array.from({ length: 200 }, (_, n) => ({ key: `lamp${from + n}` }));
      await app.graphql(
        `mutation ($devices: [NewDevice!]!) {
          createDevices(input: { modelCode: "thermostat", devices: $devices, withTokens: false }) { clientMutationId }
        }`,
        { devices },
      );
    }

    const rows = await csvOf(app, '/api/devices.csv');

    expect(new Set(rows.map(({ key }) => key)).size).toBe(1_601);
    const controller = new AbortController();
    const response = await fetch(`${app.url}/api/devices.csv`, { signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();
    expect((await csvOf(app, '/api/devices.csv?q=lamp1599')).length).toBe(1);
  });
});
