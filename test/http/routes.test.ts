import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { OWN_SEGMENTS } from '../../src/config/value-types.js';
import { createRouteTable } from '../../src/http/route-table.js';
import { createRoutes, type Handlers, type Route } from '../../src/http/routes.js';
import { aServer, bearer, type TestApp } from '../support/app.js';
import { aSocket, statusOf } from '../support/http.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';

const ORIGIN = 'https://dashboard.example';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];

const unused = () => {
  throw new Error('the table is only read here');
};
const handlers: Handlers = {
  boot: unused,
  session: unused,
  upload: unused,
  crash: unused,
  espCrashDump: unused,
  espCrashElf: unused,
  sharedCrash: unused,
  download: unused,
  coreElf: unused,
  exportList: unused,
  firmwareDownload: unused,
  health: { healthz: unused, readyz: unused, metrics: unused },
  page: unused,
  pageConfig: unused,
  graphiql: unused,
  schemaDocument: unused,
  mcp: unused,
  graphql: unused,
};
const routes = createRoutes(handlers);
const named = routes.filter(({ path }) => path !== '*');

/** An address that the route answers. */
function addressOf({ path }: Route): string {
  return path.replaceAll(':id', 'Q29yZWR1bXA6MQ==').replaceAll(':device', 'dev1');
}

async function ask(
  { url }: Pick<TestApp, 'url'>,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
  const sent = request(new URL(path, url), { method, headers, agent: false }).end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('no answer');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

function wrongMethodsOf({ methods }: Route): string[] {
  return methods === 'any' ? [] : METHODS.filter((method) => !methods.some((right) => right === method));
}

describe('the table of routes', () => {
  it('has no path below which PUBLIC_URL may be', () => {
    const segments = named.map(({ path }) => path.split('/')[1] ?? '');

    expect(segments.filter((segment) => !OWN_SEGMENTS.includes(segment))).toEqual([]);
  });

  it('answers every method that a route does not have with 405 and those that it has', async () => {
    const app = await aServer();

    for (const route of named) {
      for (const method of wrongMethodsOf(route)) {
        const { status, headers, text } = await ask(app, method, addressOf(route));

        expect([method, route.path, status, headers.allow]).toEqual([
          method,
          route.path,
          405,
          [route.methods].flat().join(', '),
        ]);
        expect(headers.connection).toBe('close');
        if (method === 'HEAD') expect(text).toBe('');
        else if (route.errors === 'rest') expect(JSON.parse(text)).toHaveProperty('error');
        else if (route.errors === 'graphql') expect(JSON.parse(text)).toHaveProperty('errors');
        else expect(text).toBe('Use POST here.\n');
      }
    }
  });

  it('refuses a wrong method before it takes the body in', async () => {
    const app = await aServer();

    for (const route of named) {
      const [method = ''] = wrongMethodsOf(route).filter((wrong) => wrong !== 'HEAD');
      const { send, closed } = aSocket(app.url);
      send(
        `${method} ${addressOf(route)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
      );
      expect(statusOf(await closed)).toBe(405);
    }
  });

  it('answers HEAD as GET, without the body', async () => {
    const app = await aServer();

    for (const route of named.filter(({ methods }) => methods.includes('HEAD'))) {
      const get = await ask(app, 'GET', addressOf(route));
      const head = await ask(app, 'HEAD', addressOf(route));

      expect([route.path, head.status, head.headers['content-type']]).toEqual([
        route.path,
        get.status,
        get.headers['content-type'],
      ]);
      expect(head.text).toBe('');
    }
  });

  it('has 404 for what no route matches, whatever the method', async () => {
    const app = await aServer();

    for (const path of [
      '/nothing',
      '/api/nothing',
      '/api/coredumps//download',
      '/api/coredumps/a/b/download',
    ]) {
      for (const method of METHODS) {
        const { status, headers } = await ask(app, method, path);
        expect([method, path, status]).toEqual([method, path, 404]);
        expect(headers['cache-control']).toBe('no-store');
      }
    }
  });

  it('answers the preflight of an allowed origin for every route, and no other', async () => {
    const app = await aServer({ CORS_ORIGINS: ORIGIN });
    // Sessions are begun and ended by the server's own page only.
    const offered = new Set(
      named.filter(({ path }) => path !== '/api/session').flatMap(({ methods }) => [...methods]),
    );

    for (const route of routes) {
      const path = addressOf(route).replace('*', '/dumps');
      const allowed = await ask(app, 'OPTIONS', path, { Origin: ORIGIN });
      const other = await ask(app, 'OPTIONS', path, { Origin: 'https://evil.example' });

      expect([path, allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([
        path,
        204,
        ORIGIN,
      ]);
      expect(new Set(allowed.headers['access-control-allow-methods']?.split(', '))).toEqual(offered);
      expect([path, other.status]).toEqual([path, route.methods === 'any' ? 404 : 405]);
      expect(other.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('sets the safe headers on every answer', async () => {
    const app = await aServer();

    for (const route of named) {
      const { headers } = await ask(app, 'GET', addressOf(route));
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': route.contentPolicy,
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    }
  });

  it('says truly who may ask', async () => {
    const app = await aServer({ ...STATIC_TOKENS, ESP_CRASH_ROUTES: 'true' });
    const status = async (route: Route, headers: Record<string, string>) =>
      (await ask(app, route.methods[0] ?? '', addressOf(route), headers)).status;

    for (const route of named) {
      const stranger = await status(route, {});
      const viewer = await status(route, bearer(VIEWER));

      // Anyone may ask whether there is a session, and 401 is the answer that there is none.
      if (route.path === '/api/session') expect(stranger).toBe(401);
      else if (route.access === 'anyone') expect([route.path, stranger]).not.toEqual([route.path, 401]);
      else expect([route.path, stranger]).toEqual([route.path, 401]);
      if (route.access === 'devices' || route.access === 'uploaders')
        expect([route.path, viewer]).toEqual([route.path, 403]);
      else expect([401, 403]).not.toContain(viewer);
    }
  });
});

describe('finding a route', () => {
  it.each([
    ['/api/coredumps/a%2Fb/download', '/api/coredumps/:id/download', ['a/b']],
    ['/api/coredumps/%zz/download', '/api/coredumps/:id/download', ['%zz']],
    ['/api/devices/d/coredumps/c/download', '/api/devices/:device/coredumps/:id/download', ['d', 'c']],
    ['/api/devices//coredumps/c/download', '*', []],
    ['/healthz', '/healthz', []],
    ['/healthz/', '*', []],
    ['/toString', '*', []],
  ])('%s', (path, pattern, parameters) => {
    const match = createRouteTable(routes).find(path);
    expect({ path: match.route.path, parameters: match.parameters }).toEqual({ path: pattern, parameters });
  });

  it('needs a route for what no other matches', () => {
    expect(() => createRouteTable(named)).toThrow('no route');
  });
});
