import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { importDevicesCommand } from '../../src/ci/import-devices.js';
import { aServer, type TestApp } from '../support/app.js';
import { failHandles } from '../support/faults.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';

async function aFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-ci-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function aFile(text: string | Uint8Array): Promise<string> {
  const file = join(await aFolder(), 'devices.csv');
  await writeFile(file, text);
  return file;
}

const manySerials = (count: number) => Array.from({ length: count }, (_, index) => `SN-${index + 1}`);

async function aServerWithModel(environment = {}, options = {}): Promise<TestApp> {
  const app = await aServer(environment, options);
  await app.graphql(
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
    { input: { code: 'thermostat', name: 'Thermostat' } },
  );
  return app;
}

async function countOf(app: TestApp): Promise<number> {
  const { devices } = await app.graphql<{ devices: { totalCount: number } }>('{ devices { totalCount } }');
  return devices.totalCount;
}

/** What the command answers, and what it writes. */
async function run(file: string, url: string, more = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const options = { model: 'thermostat', url, retries: 3, ...more };
  const code = await importDevicesCommand(file, options, { stdout, stderr }, {}, 1);
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

/** Before the server: it lets a request through, or does to it what the test says. */
async function aProxy(
  app: TestApp,
  handle: (body: string, response: ServerResponse, pass: () => Promise<void>) => unknown,
): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    await handle(body, response, async () => {
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body });
      const text = await answer.text();
      if (!response.destroyed) response.writeHead(answer.status, headers).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('coredock devices import', () => {
  it('registers the devices of a file in batches, and a second time none', async () => {
    const app = await aServerWithModel();
    const file = await aFile(`serial;key;name\r\n${manySerials(450).join(';;\r\n')};k450;"Hall; left"\r\n`);

    expect(await run(file, app.url)).toEqual({
      code: 0,
      out: '450 devices registered, 0 already there\n',
      err: '',
    });
    expect(await run(file, app.url)).toEqual({
      code: 0,
      out: '0 devices registered, 450 already there\n',
      err: '',
    });

    const { device } = await app.graphql<{ device: object }>(
      '{ device(key: "k450") { serial name hasToken approval } }',
    );
    expect(device).toEqual({ serial: 'SN-450', name: 'Hall; left', hasToken: false, approval: 'APPROVED' });
    expect(await countOf(app)).toBe(450);
  });

  it('adds the tokens, with which the devices upload, to a file that only its owner reads', async () => {
    const app = await aServerWithModel(STATIC_TOKENS, { token: ADMIN });
    const tokens = join(await aFolder(), 'tokens.csv');
    await writeFile(tokens, 'serial,key,token\nSN-0,k0,earlier\n', { mode: 0o644 });

    const outcome = await run(await aFile('SN-1\nSN-2\n'), app.url, { token: ADMIN, tokens });

    expect(outcome.code).toBe(0);
    expect((await stat(tokens)).mode & 0o777).toBe(0o600);
    const lines = (await readFile(tokens, 'utf8')).trim().split('\n');
    expect(lines.slice(0, 2)).toEqual(['serial,key,token', 'SN-0,k0,earlier']);
    for (const line of lines.slice(2)) {
      const [, , token = ''] = line.split(',');
      const response = await fetch(`${app.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: `a dump with ${token}`,
      });
      expect(response.status).toBe(201);
    }
    expect(lines).toHaveLength(4);
  });

  it('names every wrong line, and registers nothing then', async () => {
    const app = await aServerWithModel();
    const file = await aFile('serial,name\nSN-1,Hall\nSN 2,Hall\nSN-1,again\n');

    const { code, out, err } = await run(file, app.url);

    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`${file}:3: The serial "SN 2"`);
    expect(err).toContain(`${file}:4: The serial "SN-1" is already in line 2.`);
    expect(err).toContain('2 lines cannot be read; nothing was registered');
    expect(await countOf(app)).toBe(0);
  });

  it('names the first wrong lines of a file in which all are wrong', async () => {
    const app = await aServerWithModel();

    const { code, err } = await run(await aFile('S N\n'.repeat(5_000)), app.url);

    expect(code).toBe(1);
    expect(err.trim().split('\n')).toHaveLength(52);
    expect(err).toContain('\ncoredock: and 4950 more lines\n');
    expect(err).toContain('5000 lines cannot be read; nothing was registered');
  });

  it('says what it would do with --dry-run, and does nothing', async () => {
    const app = await aServerWithModel();
    await run(await aFile('SN-1\n'), app.url);
    const tokens = join(await aFolder(), 'tokens.csv');

    const outcome = await run(await aFile('SN-1\nSN-2\n'), app.url, { dryRun: true, tokens });

    expect(outcome).toEqual({ code: 0, out: '1 device to register, 1 already there\n', err: '' });
    expect(await countOf(app)).toBe(1);
    await expect(stat(tokens)).rejects.toThrow();
  });

  it('names the line whose key belongs to another device, and registers the others', async () => {
    const app = await aServerWithModel();
    await run(await aFile('SN-1,k1\n'), app.url);
    const file = await aFile('SN-1\nSN-2,k1\nSN-3,k3\n');

    const { code, out, err } = await run(file, app.url);

    expect({ code, out }).toEqual({ code: 1, out: '1 device registered, 1 already there\n' });
    expect(err).toContain(`${file}:2: The key "k1" belongs to the device "SN-1" of model "thermostat".`);
  });

  it('names the devices whose tokens are lost when the disk is full, and leaves no half of a line', async () => {
    const app = await aServerWithModel();
    const tokens = join(await aFolder(), 'tokens.csv');
    await writeFile(tokens, 'serial,key,token\n');
    const undo = failHandles('sync', 'ENOSPC', (path) => path === tokens);
    onTestFinished(undo);

    const { code, err } = await run(await aFile('SN-1\nSN-2\n'), app.url, { tokens });

    expect(code).toBe(1);
    expect(err).toContain('the tokens of 2 devices, "SN-1" to "SN-2", are lost: rotate them');
    expect(err).toContain('2 devices registered, 0 already there by then');
    expect(await readFile(tokens, 'utf8')).toBe('serial,key,token\n');
  });

  it('finishes what the server interrupted: batches that are there, an answer that was lost', async () => {
    const app = await aServerWithModel();
    let creations = 0;
    const url = await aProxy(app, async (body, response, pass) => {
      if (!body.includes('createDevices')) return pass();
      creations += 1;
      if (creations === 1) return response.writeHead(503).end();
      if (creations !== 2) return pass();
      // The server has registered them, and its answer does not arrive.
      response.destroy();
      return pass();
    });
    const tokens = join(await aFolder(), 'tokens.csv');

    const { code, out, err } = await run(await aFile(manySerials(250).join('\n')), url, { tokens });

    expect({ code, out }).toEqual({ code: 0, out: '250 devices registered, 0 already there\n' });
    expect(err).toContain('200 devices were registered, but the answer with their tokens was lost');
    expect(await countOf(app)).toBe(250);
    expect((await readFile(tokens, 'utf8')).trim().split('\n')).toHaveLength(251);
  });

  it.each([
    ['a viewer’s token', { token: VIEWER }, 1, 'This is for admins'],
    ['no token', {}, 1, 'give it by --token or COREDOCK_TOKEN'],
    ['an unknown model', { token: ADMIN, model: 'pump' }, 1, 'no device model "pump"'],
    ['an address that is none', { url: 'coredock' }, 2, '--url "coredock"'],
    [
      'a file of tokens that cannot be written',
      { token: ADMIN, tokens: '/nowhere/t.csv' },
      1,
      '/nowhere/t.csv',
    ],
  ])('says what is wrong with %s', async (_, options, expected, text) => {
    const app = await aServerWithModel(STATIC_TOKENS, { token: ADMIN });

    const { code, err } = await run(await aFile('SN-1\n'), app.url, options);

    expect({ code, err }).toEqual({ code: expected, err: expect.stringContaining(text) });
    expect(await countOf(app)).toBe(0);
  });

  it('says that a file is missing, is empty, or that no server is there', async () => {
    const app = await aServerWithModel();

    expect(await run('/nowhere.csv', app.url)).toMatchObject({
      code: 1,
      err: expect.stringContaining('/nowhere.csv'),
    });
    expect(await run(await aFile('serial\n'), app.url)).toMatchObject({
      code: 1,
      err: expect.stringContaining('names no device'),
    });
    expect(await run(await aFile('SN-1\n'), 'http://127.0.0.1:9', { retries: 1 })).toMatchObject({
      code: 1,
      err: expect.stringContaining('trying again'),
    });
  });
});
