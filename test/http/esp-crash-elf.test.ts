import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { aServer, bearer, type TestApp } from '../support/app.js';
import { fixture } from '../support/fixtures.js';
import { ADMIN, UPLOADER, VIEWER, WITH_UPLOADER } from '../support/people.js';

const OPEN = { ESP_CRASH_ROUTES: 'true' };
const ELF = await readFile(fixture('thermostat-1.0.0').elfPath);
/** As the component's source puts it into the ELF. */
const IDENTITY = Buffer.from('\0ESP_CRASH:thermo-stat;9.9.9;;\0');

/** `curl URL -F file=@build/app.elf`, with what other fields there are. */
async function send(
  app: TestApp,
  {
    query = 'project_name=thermo-stat&project_ver=1.0.0',
    file = ELF,
    fields = {},
    headers = {},
  }: {
    query?: string;
    file?: Uint8Array;
    fields?: Record<string, string>;
    headers?: Record<string, string>;
  } = {},
): Promise<{ status: number; text: string }> {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(file)]), 'app.elf');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const response = await fetch(`${app.url}/upload_elf?${query}`, { method: 'POST', body: form, headers });
  return { status: response.status, text: await response.text() };
}

async function aServerWithModel(environment = {}, options = {}): Promise<TestApp> {
  const app = await aServer({ ...OPEN, ...environment }, options);
  await app.graphql(
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
    { input: { code: 'thermo_stat', name: 'Thermostat' } },
  );
  return app;
}

async function versionsOf(app: TestApp): Promise<string[]> {
  const { deviceModel } = await app.graphql<{
    deviceModel: { firmwares: { nodes: { version: string }[] } };
  }>('{ deviceModel(code: "thermo_stat") { firmwares { nodes { version } } } }');
  return deviceModel.firmwares.nodes.map(({ version }) => version);
}

describe('a build that esp-crash’s users send from CI', () => {
  it('is stored under the model and the version that the query names', async () => {
    const app = await aServerWithModel();

    expect(await send(app)).toEqual({ status: 200, text: 'OK\n' });
    expect(await send(app)).toEqual({ status: 200, text: 'OK\n' });

    expect(await versionsOf(app)).toEqual(['1.0.0']);
  });

  it('is stored under a version that is not that of its descriptor, since its dumps name it', async () => {
    const app = await aServerWithModel();

    expect(await send(app, { query: 'project_name=thermo-stat&project_ver=release/7' })).toMatchObject({
      status: 200,
    });

    expect(await versionsOf(app)).toEqual(['release-7']);
  });

  it('may say both in fields behind the file, or in the ELF', async () => {
    const app = await aServerWithModel();
    const fields = { project_name: 'thermo-stat', project_ver: '2.0.0' };

    expect(await send(app, { query: '', fields })).toMatchObject({ status: 200 });
    expect(await send(app, { query: '', file: Buffer.concat([ELF, IDENTITY]) })).toMatchObject({
      status: 200,
    });

    expect((await versionsOf(app)).sort()).toEqual(['2.0.0', '9.9.9']);
  });

  it.each([
    ['no project', { query: 'project_ver=1' }, 400, 'project_name'],
    ['no version', { query: 'project_name=thermo-stat' }, 400, 'project_ver'],
    ['an unknown project', { query: 'project_name=pump&project_ver=1' }, 404, 'pump'],
    ['no ELF', { file: gzipSync('x') }, 400, 'neither a ZIP archive nor an ELF'],
    ['a broken bzip2 archive', { file: Buffer.from('BZh9 this is none') }, 400, 'bzip2'],
  ])('is refused in a sentence with %s', async (_, request, status, text) => {
    const app = await aServerWithModel();

    expect(await send(app, request)).toEqual({ status, text: expect.stringContaining(text) });
    expect(await versionsOf(app)).toEqual([]);
  });

  it('is refused when it is too large, and while the route is closed', async () => {
    const small = await aServerWithModel({ MAX_FIRMWARE_BYTES: '1000' });
    const closed = await aServerWithModel({ ESP_CRASH_ROUTES: 'false' });

    expect(await send(small)).toEqual({ status: 413, text: expect.stringContaining('MAX_FIRMWARE_BYTES') });
    expect(await send(closed)).toMatchObject({
      status: 404,
      text: expect.stringContaining('ESP_CRASH_ROUTES'),
    });
  });

  it('needs the token of an uploader or admin, as Bearer or in the URL, where authentication is on', async () => {
    const app = await aServerWithModel(WITH_UPLOADER, { token: ADMIN });
    const basic = (token: string) => ({
      Authorization: `Basic ${Buffer.from(`ci:${token}`).toString('base64')}`,
    });

    expect(await send(app)).toMatchObject({ status: 401 });
    expect(await send(app, { headers: basic('wrong') })).toMatchObject({ status: 401 });
    expect(await send(app, { headers: basic(VIEWER) })).toMatchObject({ status: 403 });
    expect(await send(app, { headers: bearer(VIEWER) })).toMatchObject({ status: 403 });
    expect(await send(app, { headers: bearer(ADMIN) })).toMatchObject({ status: 200 });
    expect(await send(app, { headers: basic(UPLOADER) })).toMatchObject({ status: 200 });

    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: { action: string }[] } }>(
      '{ auditEvents(first: 50) { nodes { action } } }',
    );
    expect(auditEvents.nodes.filter(({ action }) => action === 'uploadFirmware')).toHaveLength(2);
  });
});
