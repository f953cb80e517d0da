import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HTTP_OPTIONS, watchSlowBodies } from '../../src/http/connection-limits.js';
import { aDevice, aServer, eventually, stored, type TestApp, upload } from '../support/app.js';
import { aSocket, statusOf } from '../support/http.js';

const PATH = '/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0&device_key=dev1';
const DUMP = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\n`;

/** Everything that came back on a connection that got exactly these bytes. */
async function answerTo(app: Pick<TestApp, 'url'>, bytes: string): Promise<string> {
  const { send, closed, socket } = aSocket(app.url);
  send(bytes);
  const answer = await closed;
  socket.destroy();
  return answer;
}

async function dumpCount(app: TestApp): Promise<number> {
  const { coredumps } = await app.graphql<{ coredumps: { totalCount: number } }>(
    '{ coredumps { totalCount } }',
  );
  return coredumps.totalCount;
}

describe('a request that two servers could read in two ways', () => {
  it.each([
    ['both lengths', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello'],
    ['two lengths in one', 'Content-Length: 5, 6\r\n\r\nhello'],
    ['a length with a sign', 'Content-Length: +5\r\n\r\nhello'],
    ['a length in hexadecimal', 'Content-Length: 0x5\r\n\r\nhello'],
    ['a length that overflows', 'Content-Length: 18446744073709551621\r\n\r\nhello'],
    ['a folded header', 'Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'Content-Length : 5\r\n\r\nhello'],
    ['an encoding that is none', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked not as the last encoding', 'Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n'],
    ['a chunk size with a sign', 'Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size that overflows', 'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx'],
    ['a chunk that is longer than it says', 'Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n'],
    ['a header without a colon', 'Nonsense\r\n\r\n'],
    ['a NUL in a header', 'X: a\0b\r\n\r\n'],
  ])('is refused with the whole connection: %s', async (_, rest) => {
    const app = await aServer();
    await aDevice(app);

    const answer = await answerTo(app, `${DUMP}${rest}GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n`);

    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(await dumpCount(app)).toBe(0);
  });
});

describe('a flood', () => {
  it.each([
    ['of headers', `GET /healthz HTTP/1.1\r\n${'X-Flood: yes\r\n'.repeat(10_000)}\r\n`],
    ['in one header', `GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['in the query string', `GET /graphql?query=${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ])('%s is refused at 32 KiB', async (_, bytes) => {
    const app = await aServer();

    expect(statusOf(await answerTo(app, bytes))).toBe(431);
  });

  it('of chunk extensions is cut', async () => {
    const app = await aServer();
    await aDevice(app);
    const { send, closed } = aSocket(app.url);
    send(`${DUMP}Transfer-Encoding: chunked\r\n\r\n`);
    send(`1;${'x'.repeat(100_000)}\r\n`);

    expect([400, 413]).toContain(statusOf(await closed));
  });

  it('of connections beyond MAX_CONNECTIONS is turned away, and room is found again', async () => {
    const app = await aServer({ MAX_CONNECTIONS: '20' });
    const open = Array.from({ length: 60 }, () => aSocket(app.url));

    await eventually(
      async () => open.filter(({ socket }) => socket.closed).length >= 40,
      'they are turned away',
    );
    for (const { socket } of open) socket.destroy();

    const health = await eventually(
      () => fetch(`${app.url}/healthz`).catch(() => null),
      'there is room again',
    );
    expect(health.status).toBe(200);
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    expect(Number(/^http_connections_dropped_total (\d+)/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(40);
  });
});

describe('a sender that is too slow', () => {
  it('with the head is cut (slow loris)', { timeout: 60_000 }, async () => {
    const app = await aServer();
    await aDevice(app);
    const loris = Array.from({ length: 50 }, () => aSocket(app.url));
    for (const { send } of loris) send('GET /healthz HTTP/1.1\r\n');
    const trickle = setInterval(() => {
      for (const { socket, send } of loris) if (socket.writable) send('X: y\r\n');
    }, 1_000);

    const honest = await stored(app, 'meanwhile');
    const answers = await Promise.all(loris.map(({ closed }) => closed));
    clearInterval(trickle);

    expect(honest.status).toBe('ok');
    expect(new Set(answers.map(statusOf))).toEqual(new Set([408]));
  });

  it('with a body is cut, whatever route it is for', async () => {
    const { watch, stop } = watchSlowBodies({ periodMs: 100 });
    onTestFinished(stop);
    const log = pino({ level: 'silent' });
    const server = createServer(HTTP_OPTIONS, (request, response) => {
      watch(request, response, log);
      request.resume().once('end', () => response.end('whole'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const slow = aSocket(url);
    slow.send('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n');
    const trickle = setInterval(() => slow.socket.writable && slow.send('x'), 10);
    const steady = aSocket(url);
    steady.send('POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n');
    let sent = 0;
    const flow = setInterval(() => {
      if (sent < 100_000) steady.send('x'.repeat(2_000));
      sent += 2_000;
    }, 10);

    const cut = await slow.closed;
    const whole = await steady.closed;
    clearInterval(trickle);
    clearInterval(flow);

    expect(statusOf(cut)).toBe(408);
    expect(whole).toContain('whole');
  });
});

describe('every answer', () => {
  it('tells browsers to sniff, frame, run and keep nothing', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId } = await stored(app, 'a dump');

    const answers = await Promise.all([
      fetch(`${app.url}/healthz`),
      fetch(`${app.url}/readyz`),
      fetch(`${app.url}/metrics`),
      fetch(`${app.url}/nothing`),
      fetch(`${app.url}/graphql`, { headers: { Accept: 'text/html' } }),
      fetch(`${app.url}/graphql?query={__typename}`),
      fetch(`${app.url}/api/coredumps/${coredumpId}/download`),
      fetch(`${app.url}${PATH}`),
      upload(app, ''),
    ]);

    for (const { headers, url } of answers) {
      expect(headers.get('x-content-type-options'), url).toBe('nosniff');
      expect(headers.get('content-security-policy'), url).toContain("frame-ancestors 'none'");
      expect(headers.get('referrer-policy'), url).toBe('no-referrer');
      expect(headers.get('cache-control'), url).toBe('no-store');
      expect(headers.get('access-control-allow-origin'), url).toBeNull();
    }
    const garbage = await answerTo(app, 'no HTTP at all\r\n\r\n');
    expect(garbage).toContain('X-Content-Type-Options: nosniff');
  });
});

describe('a web page of another site', () => {
  const ORIGIN = 'https://dashboard.example';
  const preflight = (app: TestApp, origin: string) =>
    fetch(`${app.url}/graphql`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
    });

  it('gets nothing unless it is named', async () => {
    const closed = await aServer();
    const open = await aServer({ CORS_ORIGINS: `https://other.example, ${ORIGIN}` });

    const refused = [await preflight(closed, ORIGIN), await preflight(open, 'https://evil.example')];
    const allowed = await preflight(open, ORIGIN);
    const asked = await fetch(`${open.url}/graphql?query={__typename}`, { headers: { Origin: ORIGIN } });

    for (const { headers } of refused) expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(allowed.headers.get('vary')).toContain('Origin');
    expect(asked.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(await asked.json()).toEqual({ data: { __typename: 'Query' } });
  });

  it('cannot upload a dump, since no device is a web page', async () => {
    const app = await aServer();
    await aDevice(app);

    const foreign = await upload(app, 'made up', { headers: { Origin: 'https://evil.example' } });
    const own = await upload(app, 'by hand', { headers: { Origin: app.url } });

    expect(foreign.status).toBe(403);
    expect(own.status).toBe(201);
    expect(await dumpCount(app)).toBe(1);
  });
});
