import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, aServer, stored, type TestApp } from '../support/app.js';
import { aSocket, statusOf } from '../support/http.js';

/**
 * What a web page of another site can make a browser send to a server on loopback without asking it first, and what
 * the browser then says of itself. `fetch` of Node forbids these headers as a browser does, so they are written by hand.
 */
const PAGE = 'Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n';
const MUTATION = JSON.stringify({
  query: 'mutation { createDeviceModel(input: { code: "evil", name: "x" }) { deviceModel { code } } }',
});
const form = (content: string) =>
  `--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${content}\r\n--b--\r\n`;

async function answerTo(
  app: Pick<TestApp, 'url'>,
  { request, headers, body = '' }: { request: string; headers: string; body?: string },
): Promise<{ status: number; text: string }> {
  const { send, closed } = aSocket(app.url);
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const host = new URL(app.url).host;
  send(`${request} HTTP/1.1\r\nHost: ${host}\r\n${headers}${length}Connection: close\r\n\r\n${body}`);
  const text = await closed;
  return { status: statusOf(text), text };
}

describe('a page of another site', () => {
  it.each([
    ['a form as text', 'Content-Type: text/plain\r\n', MUTATION],
    [
      'a form',
      'Content-Type: application/x-www-form-urlencoded\r\n',
      `query=${encodeURIComponent(MUTATION)}`,
    ],
    ['a form with parts', 'Content-Type: multipart/form-data; boundary=b\r\n', form(MUTATION)],
    ['a body of no type', '', MUTATION],
    ['JSON without a preflight', 'Content-Type: application/json\r\n', MUTATION],
  ])('changes nothing by %s, whichever headers its browser sends', async (_, type, body) => {
    const app = await aServer();

    for (const headers of [
      PAGE,
      'Origin: https://evil.example\r\n',
      'Origin: null\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n',
      'Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n',
    ]) {
      // Only by a program that is no browser: a browser asks first, and is told no.
      if (type.includes('json') && !headers.includes('Sec-Fetch')) continue;
      const answer = await answerTo(app, {
        request: 'POST /graphql',
        headers: `${headers}${type}`,
        body,
      });
      expect([403, 415]).toContain(answer.status);
    }

    const { deviceModels } = await app.graphql<{ deviceModels: { totalCount: number } }>(
      '{ deviceModels { totalCount } }',
    );
    expect(deviceModels.totalCount).toBe(0);
  });

  it('is not allowed to send JSON when its browser asks', async () => {
    const app = await aServer();

    const { text } = await answerTo(app, {
      request: 'OPTIONS /graphql',
      headers: `${PAGE}Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n`,
    });

    expect(text.toLowerCase()).not.toContain('access-control-allow');
  });

  it.each([
    ['a mutation by GET', `GET /graphql?query=${encodeURIComponent('mutation { x }')}`],
    ['a query as an image', 'GET /graphql?query={devices{totalCount}}'],
    ['a subscription as an event source', 'GET /graphql?query=subscription{parseStatus{id}}'],
    ['a download as an image', 'GET /api/coredumps/Q29yZWR1bXA6MQ==/download'],
    ['metrics as a script', 'GET /metrics'],
    ['the configuration', 'GET /api/config'],
    ['the readiness probe, which writes to the disk', 'GET /readyz'],
    ['a script of the page', 'GET /assets/index.js'],
  ])('cannot have %s', async (_, request) => {
    const app = await aServer();
    await aDevice(app);
    await stored(app, 'a dump');

    for (const headers of [
      `${PAGE}Sec-Fetch-Mode: cors\r\nAccept: text/event-stream\r\n`,
      'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n',
      'Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n',
    ]) {
      expect((await answerTo(app, { request, headers })).status).toBe(403);
    }

    // A download leaves an event behind.
    const { auditEvents } = await app.graphql<{ auditEvents: { nodes: { action: string }[] } }>(
      '{ auditEvents { nodes { action } } }',
    );
    expect(auditEvents.nodes.map(({ action }) => action)).not.toContain('downloadCoredump');
  });

  it('can link here: who follows the link is a person', async () => {
    const app = await aServer();
    await aDevice(app);
    const { coredumpId } = await stored(app, 'a dump');
    const clicked = 'Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n';

    const download = await answerTo(app, {
      request: `GET /api/coredumps/${encodeURIComponent(coredumpId)}/download`,
      headers: clicked,
    });
    const graphiql = await answerTo(app, {
      request: 'GET /graphql',
      headers: `${clicked}Accept: text/html\r\n`,
    });

    expect([download.status, graphiql.status]).toEqual([200, 200]);
  });

  it('opens no WebSocket and uploads no dump', async () => {
    const app = await aServer();
    await aDevice(app);
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
    });

    const refused = await new Promise<Error>((resolve, reject) => {
      socket.on('error', resolve).on('open', () => reject(new Error('it was let in')));
    });
    const uploaded = await answerTo(app, {
      request: 'POST /api/iot/coredump?chip=esp32&firmware_version=1&device_key=dev1',
      headers: PAGE,
      body: 'made up',
    });

    expect(refused.message).toContain('403');
    expect(uploaded.status).toBe(403);
  });

  it('is told which setting would allow it, on every way in, and so is the log, once', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const app = await aServer({}, { log });
    const page = `Origin: https://crashes.example.org\r\n`;
    const upgrade =
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    const said = [
      ['POST /api/iot/coredump?chip=esp32&firmware_version=1&device_key=dev1', '', 'made up'],
      ['POST /graphql', 'Content-Type: multipart/form-data; boundary=b\r\n', form(MUTATION)],
      ['GET /graphql', `${upgrade}Connection: upgrade\r\n`, ''],
    ];

    for (const [request = '', headers = '', body] of said) {
      const { status, text } = await answerTo(app, {
        request,
        headers: page + headers,
        ...(body === '' ? {} : { body }),
      });
      expect(status).toBe(403);
      expect(text).toMatch(/https:\/\/crashes\.example\.org.*set PUBLIC_URL.*CORS_ORIGINS/);
    }

    expect(lines.filter((line) => line.includes('set PUBLIC_URL'))).toHaveLength(1);
  });
});

describe('our own page', () => {
  it('is known by its Origin, and by that of PUBLIC_URL where a proxy passes on another Host', async () => {
    const app = await aServer({ PUBLIC_URL: 'https://crashes.example.org' });
    const json = { headers: 'Content-Type: application/json\r\n', body: '{"query":"{__typename}"}' };
    const statusFrom = async (origin: string) =>
      (
        await answerTo(app, {
          request: 'POST /graphql',
          ...json,
          headers: `Origin: ${origin}\r\nSec-Fetch-Site: same-origin\r\n${json.headers}`,
        })
      ).status;
    const upgrade = (origin: string) =>
      new Promise<number>((resolve, reject) => {
        const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
          headers: { Origin: origin },
        });
        socket
          .on('open', () => {
            socket.terminate();
            resolve(101);
          })
          .on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode))
          .on('error', reject);
      });

    expect(await statusFrom(app.url)).toBe(200);
    expect(await statusFrom('https://crashes.example.org')).toBe(200);
    expect(await upgrade('https://crashes.example.org')).toBe(101);
    expect(await upgrade('http://crashes.example.org')).toBe(403);
  });
});
