import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, aServer, stored, type TestApp } from '../support/app.js';
import { aSocket, statusOf } from '../support/http.js';

const UPLOAD = '/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=dev1';
const QUERY = JSON.stringify({ query: '{ devices { nodes { key } } }' });
const MUTATION = JSON.stringify({
  query: 'mutation { createDeviceModel(input: { code: "evil", name: "x" }) { deviceModel { code } } }',
});
const SUBSCRIPTION = JSON.stringify({ query: 'subscription { parseStatus { id } }' });
const JSON_TYPE = { 'Content-Type': 'application/json' };

interface Request {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Every route of the server, and what has none. */
const ROUTES: ReadonlyArray<readonly [string, Request]> = [
  ['the page', { path: '/', headers: { Accept: 'text/html' } }],
  ['an address of the page', { path: '/dumps', headers: { Accept: 'text/html' } }],
  ['an upload', { method: 'POST', path: UPLOAD, body: 'a dump' }],
  ['a download', { path: '/api/coredumps/Q29yZWR1bXA6MQ==/download' }],
  ['a download of a device', { path: '/api/devices/dev1/coredumps/Q29yZWR1bXA6MQ==/download' }],
  ['the page’s configuration', { path: '/api/config' }],
  ['metrics', { path: '/metrics' }],
  ['the liveness probe', { path: '/healthz' }],
  ['the readiness probe', { path: '/readyz' }],
  ['GraphiQL', { path: '/graphql', headers: { Accept: 'text/html' } }],
  ['a query', { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: QUERY }],
  ['a query by GET', { path: '/graphql?query={__typename}' }],
  ['a mutation', { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: MUTATION }],
  [
    'a multipart request',
    {
      method: 'POST',
      path: '/graphql',
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      body: '--b--',
    },
  ],
  [
    'an event stream',
    {
      method: 'POST',
      path: '/graphql',
      headers: { ...JSON_TYPE, Accept: 'text/event-stream' },
      body: SUBSCRIPTION,
    },
  ],
  ['a preflight', { method: 'OPTIONS', path: '/graphql' }],
  ['nothing', { path: '/nothing' }],
  ['an upgrade to something', { path: '/', headers: { Connection: 'Upgrade', Upgrade: 'h2c' } }],
];

async function ask(
  { url }: Pick<TestApp, 'url'>,
  { method = 'GET', path, headers = {}, body }: Request,
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  const { hostname, port } = new URL(url);
  const sent = request({ host: hostname.replace(/[[\]]/g, ''), port, method, path, headers, agent: false });
  sent.end(body);
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('no answer');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    // An event stream has no end.
    if (response.headers['content-type']?.startsWith('text/event-stream') === true) break;
  }
  sent.destroy();
  return { status: response.statusCode ?? 0, text, headers: response.headers };
}

describe('a request that names a foreign host', () => {
  it.each(ROUTES)('is 421, with and without the host’s own Origin: %s', async (_, route) => {
    const app = await aServer();
    await aDevice(app);
    await stored(app, 'a dump');
    const foreign = { ...route.headers, Host: 'rebound.example:4000' };

    const answers = [
      await ask(app, { ...route, headers: foreign }),
      await ask(app, { ...route, headers: { ...foreign, Origin: 'http://rebound.example:4000' } }),
    ];

    for (const { status, text } of answers) {
      expect(status).toBe(421);
      expect(text).toContain('rebound.example');
      expect(text).toContain('ALLOWED_HOSTS');
      expect(text).not.toContain('dev1');
    }
    expect(await modelCodes(app)).toEqual(['thermostat']);
  });

  it('is told what the proxy could do, where one sent it', async () => {
    const app = await aServer();
    const headers = { Host: 'coredock:4000', 'X-Forwarded-For': '203.0.113.7' };

    const { status, text } = await ask(app, { path: '/', headers });

    expect(status).toBe(421);
    expect(text).toMatch(/coredock.*ALLOWED_HOSTS.*PUBLIC_URL.*reverse proxy.*Host/);
  });

  it.each([{}, { Origin: 'http://rebound.example' }])('opens no WebSocket: %j', async (headers) => {
    const app = await aServer();
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: { ...headers, Host: 'rebound.example' },
    });

    const error = await new Promise<Error>((resolve, reject) => {
      socket.on('error', resolve).on('open', () => reject(new Error('it was let in')));
    });

    expect(error.message).toContain('421');
  });

  it('is told so before its body is sent, and stores nothing', async () => {
    const app = await aServer();
    await aDevice(app);
    const { send, closed } = aSocket(app.url);

    send(
      `POST ${UPLOAD} HTTP/1.1\r\nHost: rebound.example\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n`,
    );
    const answer = await closed;

    expect(statusOf(answer)).toBe(421);
    expect(answer).not.toContain('100 Continue');
  });
});

describe('the host that a request names', () => {
  it.each([
    ['127.0.0.1', 200],
    ['127.0.0.1:1', 200],
    ['127.9.9.9', 200],
    ['localhost', 200],
    ['LOCALHOST:4000', 200],
    ['localhost.', 200],
    ['demo.localhost', 200],
    ['[::1]', 200],
    ['[::1]:4000', 200],
    ['[::ffff:127.0.0.1]', 200],
    ['rebound.example', 421],
    ['localhost.rebound.example', 421],
    ['127.0.0.1.rebound.example', 421],
    ['rebound.example:4000', 421],
    ['192.0.2.7', 421],
    ['[2001:db8::7]', 421],
    ['0.0.0.0', 421],
    ['xn--bcher-kva.example', 421],
    ['a@127.0.0.1', 400],
    ['127.0.0.1/x', 400],
    ['::1', 400],
    ['[::1', 400],
    ['local host', 400],
    ['127.0.0.1:x', 400],
    ['', 400],
  ])('%j gets %i', async (host, status) => {
    const app = await aServer();
    const { send, closed } = aSocket(app.url);

    send(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

    expect(statusOf(await closed)).toBe(status);
  });

  it('may be one of ALLOWED_HOSTS and that of PUBLIC_URL, whatever the port', async () => {
    const app = await aServer({
      ALLOWED_HOSTS: 'coredock.lan, 192.0.2.7, [2001:db8::7]',
      PUBLIC_URL: 'https://crashes.example.org',
    });
    const statusFor = async (host: string) =>
      (await ask(app, { path: '/healthz', headers: { Host: host } })).status;

    expect(await statusFor('coredock.lan:4000')).toBe(200);
    expect(await statusFor('CoreDock.LAN.')).toBe(200);
    expect(await statusFor('192.0.2.7')).toBe(200);
    expect(await statusFor('[2001:db8:0::7]:443')).toBe(200);
    expect(await statusFor('crashes.example.org')).toBe(200);
    expect(await statusFor('www.coredock.lan')).toBe(421);
    expect(await statusFor('example.org')).toBe(421);
  });

  it.skipIf(lanAddress() === undefined)(
    'may be the address that the connection came to, as devices on the LAN name it',
    async () => {
      const app = await aServer({ HOST: '0.0.0.0', ALLOW_UNAUTHENTICATED: 'true' });
      const lan = { url: `http://${lanAddress()}:${new URL(app.url).port}` };
      const loopback = { url: lan.url.replace(String(lanAddress()), '127.0.0.1') };

      expect((await ask(lan, { path: '/healthz' })).status).toBe(200);
      expect(
        (await ask(loopback, { path: '/healthz', headers: { Host: String(lanAddress()) } })).status,
      ).toBe(421);
      expect((await ask(lan, { path: '/healthz', headers: { Host: 'rebound.example' } })).status).toBe(421);
    },
  );

  it('may be missing only where no browser asks: in HTTP/1.0', async () => {
    const app = await aServer();
    const answerTo = async (head: string) => {
      const { send, closed } = aSocket(app.url);
      send(`${head}\r\n\r\n`);
      return statusOf(await closed);
    };

    expect(await answerTo('GET /healthz HTTP/1.0')).toBe(200);
    expect(await answerTo('GET /graphql?query={__typename} HTTP/1.0')).toBe(200);
    expect(await answerTo('GET /healthz HTTP/1.0\r\nHost: rebound.example')).toBe(421);
    expect(await answerTo('GET /healthz HTTP/1.1\r\nConnection: close')).toBe(400);
  });

  it('is 400 when there are two, even of the same name', async () => {
    const app = await aServer();
    const answerTo = async (hosts: string, path = '/healthz') => {
      const { send, closed } = aSocket(app.url);
      send(`GET ${path} HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`);
      return statusOf(await closed);
    };

    expect(await answerTo('Host: localhost\r\nHost: localhost\r\n')).toBe(400);
    expect(await answerTo('Host: localhost\r\nhost: rebound.example\r\n')).toBe(400);
    expect(await answerTo('Host: rebound.example\r\nHost: localhost\r\n', '/graphql')).toBe(400);
  });

  it('is also the one in the request’s target', async () => {
    const app = await aServer();
    const answerTo = async (target: string, host = 'localhost') => {
      const { send, closed } = aSocket(app.url);
      send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return statusOf(await closed);
    };

    expect(await answerTo('http://localhost/healthz')).toBe(200);
    expect(await answerTo('http://rebound.example/healthz')).toBe(421);
    expect(await answerTo('http://rebound.example/graphql?query={__typename}')).toBe(421);
    expect(await answerTo('http://localhost/healthz', 'rebound.example')).toBe(421);
    expect(await answerTo('HTTP://REBOUND.example/healthz')).toBe(421);
    expect(await answerTo('ftp://localhost/healthz')).toBe(400);
    // A path that begins with two slashes names no host.
    expect(await answerTo('//localhost/healthz')).toBe(404);
  });
});

async function modelCodes({ graphql }: TestApp): Promise<string[]> {
  const { deviceModels } = await graphql<{ deviceModels: { nodes: { code: string }[] } }>(
    '{ deviceModels { nodes { code } } }',
  );
  return deviceModels.nodes.map(({ code }) => code);
}

/** An address of this machine that others could reach; undefined where it has none. */
function lanAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry !== undefined && !entry.internal && entry.family === 'IPv4')?.address;
}
