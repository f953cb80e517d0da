import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { uploadFirmwareCommand } from '../../src/ci/upload-firmware.js';
import { aDevice, aServer } from '../support/app.js';
import { aFirmwareElf } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';

async function aFile(bytes: Uint8Array = aFirmwareElf({ version: '1.2.3' })): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'coredock-ci-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'firmware.elf');
  await writeFile(file, bytes);
  return file;
}

function aTerminal({ isTTY = false } = {}) {
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY })];
  const read = (stream: PassThrough) => String(stream.read() ?? '');
  return { stdout, stderr, out: () => read(stdout), err: () => read(stderr) };
}

async function anEndpoint(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const run = (file: string, url: string, terminal = aTerminal(), more = {}) =>
  uploadFirmwareCommand(file, { model: 'thermostat', url, retries: 3, ...more }, terminal, {}, 1);

const DONE = JSON.stringify({
  data: { uploadFirmware: { firmware: { id: 'RmlybXdhcmU6MQ==', version: '1.2.3', elfSha256: 'ab' } } },
});

describe('coredock firmware upload', () => {
  it('says at once that a server does not speak HTTPS', async () => {
    const url = (await anEndpoint((_, response) => response.end())).replace('http:', 'https:');
    const terminal = aTerminal();

    expect(await run(await aFile(), url, terminal)).toBe(1);

    expect(terminal.err()).toBe(
      `coredock: ${url} does not speak HTTPS: begin --url with http://, or name the proxy that has HTTPS\n`,
    );
  });

  it('brings a build to the server, and again without harm', async () => {
    const app = await aServer();
    await aDevice(app);
    const file = fixture('thermostat-1.0.0').elfPath;

    for (const _ of [1, 2]) {
      const terminal = aTerminal();
      expect(await run(file, `${app.url}/`, terminal)).toBe(0);
      expect(terminal.out()).toMatch(/^thermostat 1\.0\.0 [0-9a-f]{64}\n$/);
      expect(terminal.err()).toBe('');
    }

    const { deviceModel } = await app.graphql<{ deviceModel: { firmwares: { totalCount: number } } }>(
      '{ deviceModel(code: "thermostat") { firmwares { totalCount } } }',
    );
    expect(deviceModel.firmwares.totalCount).toBe(1);
  });

  it('warns of what the ELF lacks', async () => {
    const app = await aServer();
    await aDevice(app);
    const terminal = aTerminal();

    expect(await run(await aFile(), app.url, terminal)).toBe(0);

    expect(terminal.out()).toMatch(/^thermostat 1\.2\.3 /);
    expect(terminal.err()).toMatch(/^coredock: warning: .*stripped/);
  });

  it('stores a build under another version than its ELF has, when it is told to', async () => {
    const app = await aServer();
    await aDevice(app);
    const file = fixture('thermostat-1.0.0').elfPath;
    const refused = aTerminal();
    const accepted = aTerminal();

    expect(await run(file, app.url, refused, { firmwareVersion: 'beta' })).toBe(1);
    expect(await run(file, app.url, accepted, { firmwareVersion: 'beta', allowVersionMismatch: true })).toBe(
      0,
    );

    expect(refused.err()).toMatch(/"beta".*"1\.0\.0".*--allow-version-mismatch/);
    expect(accepted.out()).toMatch(/^thermostat beta /);
  });

  it('tells in one line what the server refuses, and does not try again', async () => {
    const app = await aServer();
    const terminal = aTerminal();

    expect(await run(await aFile(), app.url, terminal)).toBe(1);

    expect(terminal.err()).toBe('coredock: There is no device model "thermostat".\n');
  });

  it('tries again while the server is overloaded or away, with its token each time', async () => {
    const tokens: unknown[] = [];
    const url = await anEndpoint((request, response) => {
      tokens.push(request.headers.authorization);
      if (tokens.length === 1) response.writeHead(503).end();
      else if (tokens.length === 2) response.destroy();
      else response.end(DONE);
    });
    const terminal = aTerminal();

    expect(await run(await aFile(), url, terminal, { token: 'secret' })).toBe(0);

    expect(tokens).toEqual(['Bearer secret', 'Bearer secret', 'Bearer secret']);
    expect(terminal.err()).toMatch(/answered 503; trying again, 3 left\n.*trying again, 2 left\n/);
  });

  it('says why the server is not ready for it', async () => {
    const why = 'The token cannot be checked now, because its issuer does not answer; try again.';
    const busy =
      'Other requests keep changing the same data at the same time; nothing was changed. Try again.';
    const answers: ReadonlyArray<[status: number, code: string, message: string]> = [
      [503, 'INTERNAL_SERVER_ERROR', why],
      [408, 'BAD_USER_INPUT', 'The request body arrived too slowly.'],
      [200, 'RATE_LIMITED', busy],
    ];
    let asked = 0;
    const url = await anEndpoint((_, response) => {
      const [status, code, message] = answers[asked++] ?? [200, '', ''];
      if (code === '') response.end(DONE);
      else response.writeHead(status).end(JSON.stringify({ errors: [{ message, extensions: { code } }] }));
    });
    const terminal = aTerminal();

    expect(await run(await aFile(), url, terminal)).toBe(0);

    expect(terminal.err().split('\n')).toEqual([
      `coredock: the server answered 503: ${why}; trying again, 3 left`,
      'coredock: the server answered 408: The request body arrived too slowly.; trying again, 2 left',
      `coredock: ${busy}; trying again, 1 left`,
      '',
    ]);
  });

  it('gives up in the end', async () => {
    const url = await anEndpoint((_, response) => void response.writeHead(502).end());
    const terminal = aTerminal();

    expect(await run(await aFile(), url, terminal, { retries: 1 })).toBe(1);

    expect(terminal.err()).toMatch(/coredock: the server answered 502\n$/);
  });

  it('shows on a terminal how far it is', async () => {
    const terminal = aTerminal({ isTTY: true });

    await run(
      await aFile(Buffer.alloc(300_000)),
      await anEndpoint((_, response) => void response.end(DONE)),
      terminal,
    );

    expect(terminal.err()).toMatch(/\r\[#{30}\] 100 % of 293 KiB\n$/);
  });

  it.each([
    ['a file that is not there', '/nowhere/firmware.elf', 'http://127.0.0.1:1', 1, 'cannot be read'],
    ['a folder', tmpdir(), 'http://127.0.0.1:1', 1, `${tmpdir()} is not a file: name the ELF`],
    ['an address that is none', 'x', 'coredock.example.org', 2, '--url'],
  ])('refuses %s', async (_, file, url, code, reason) => {
    const terminal = aTerminal();

    expect(await run(file, url, terminal)).toBe(code);

    expect(terminal.err()).toContain(reason);
  });

  it('says when something else answers', async () => {
    const terminal = aTerminal();

    expect(
      await run(await aFile(), await anEndpoint((_, response) => void response.end('<html>')), terminal),
    ).toBe(1);

    expect(terminal.err()).toContain('check --url');
  });

  it.each([
    [
      'nginx/1.22.1',
      413,
      /proxy in front of Coredock \(nginx\/1\.22\.1\) refuses .*413.*client_max_body_size/,
    ],
    ['Apache/2.4.62 (Debian)', 413, /\(Apache\/2\.4\.62 \(Debian\)\).*LimitRequestBody/],
    ['', 413, /proxy in front of Coredock refuses .*nginx: client_max_body_size/],
    ['nginx', 502, /\(nginx\) answered 502: it gets no answer from Coredock/],
    ['', 503, /proxy in front of Coredock answered 503/],
    ['Caddy', 504, /\(Caddy\) answered 504/],
  ])('says when the proxy %s answers %i', async (server, status, reason) => {
    const url = await anEndpoint((_, response) => {
      response.writeHead(status, server === '' ? {} : { Server: server }).end('<html><h1>no</h1></html>');
    });
    const terminal = aTerminal();

    expect(await run(await aFile(), url, terminal, { retries: 0 })).toBe(1);

    const said = terminal.err();
    expect(said).toMatch(reason);
    expect(said).not.toContain('--url');
  });

  it('names the address to which a proxy redirects, and does not send the token there', async () => {
    let asked = 0;
    const url = await anEndpoint((_, response) => {
      asked += 1;
      response.writeHead(301, { Location: 'https://coredock.example.org/crashes/graphql' }).end();
    });
    const terminal = aTerminal();

    expect(await run(await aFile(), url, terminal, { token: 'secret' })).toBe(1);

    expect(terminal.err()).toMatch(
      /redirects to https:\/\/coredock\.example\.org \(301\): use --url https:\/\/coredock\.example\.org\/crashes\n$/,
    );
    expect(asked).toBe(1);
  });
});
