import { once } from 'node:events';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { aDevice, aServer, bearer, stored } from '../support/app.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

const PUBLIC_URL = 'https://example.org/coredock';

describe('a server whose PUBLIC_URL has a path', () => {
  it('answers every path with it and without it, whichever the proxy sends', async () => {
    const app = await aServer({ PUBLIC_URL });
    const statusOf = async (path: string) => (await fetch(app.url + path)).status;

    for (const path of [
      '/healthz',
      '/api/config',
      '/readyz',
      '/graphql?query={viewer{role}}',
      '/schema.graphql',
    ])
      expect([path, await statusOf(path), await statusOf(`/coredock${path}`)]).toEqual([path, 200, 200]);
    expect(await statusOf('/coredocks/healthz')).toBe(404);
    expect(await statusOf('/other/healthz')).toBe(404);
    expect(await statusOf('/coredock/coredock/healthz')).toBe(404);
  });

  it('takes dumps, and links to their bytes by its public address', async () => {
    const app = await aServer({ PUBLIC_URL, ...STATIC_TOKENS }, { token: ADMIN });
    const { token } = await aDevice(app);
    const body = 'bytes of a dump';

    const sent = await fetch(`${app.url}/coredock/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0`, {
      method: 'POST',
      headers: bearer(token),
      body,
    });
    const { coredumps } = await app.graphql<{ coredumps: { nodes: { downloadUrl: string }[] } }>(
      '{ coredumps { nodes { downloadUrl } } }',
    );
    const [{ downloadUrl } = { downloadUrl: '' }] = coredumps.nodes;
    const download = await fetch(app.url + downloadUrl.slice('https://example.org'.length));

    expect(sent.status).toBe(201);
    expect(downloadUrl).toMatch(/^https:\/\/example\.org\/coredock\/api\/coredumps\/[^/]+\/download\?link=/);
    expect(await download.text()).toBe(body);
  });

  it('opens a WebSocket below its path', async () => {
    const app = await aServer({ PUBLIC_URL });
    const socket = new WebSocket(
      `${app.url.replace('http', 'ws')}/coredock/graphql`,
      'graphql-transport-ws',
      {
        origin: 'https://example.org',
      },
    );

    await once(socket, 'open');
    socket.terminate();
  });

  it('has a sign-in form that is sent to where it was shown', async () => {
    const app = await aServer({ PUBLIC_URL, ...STATIC_TOKENS });

    const url = `${app.url}/coredock/graphql`;

    const form = await fetch(url, { headers: { Accept: 'text/html' } });
    const signedIn = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ token: ADMIN }),
      redirect: 'manual',
    });
    const there = new URL(signedIn.headers.get('location') ?? '', url);
    const [Cookie = ''] = signedIn.headers.getSetCookie()[0]?.split(';') ?? [];
    const graphiql = await fetch(there, { headers: { Accept: 'text/html', Cookie } });

    expect(await form.text()).toContain('<form method="post">');
    expect([signedIn.status, there.href]).toEqual([303, url]);
    expect(await graphiql.text()).toContain('id="graphiql-options"');
  });
});

describe('a server without PUBLIC_URL', () => {
  it('links by paths', async () => {
    const app = await aServer();
    await aDevice(app);
    await stored(app, 'a dump');

    const { coredumps } = await app.graphql<{ coredumps: { nodes: { downloadUrl: string }[] } }>(
      '{ coredumps { nodes { downloadUrl } } }',
    );

    expect(coredumps.nodes[0]?.downloadUrl).toMatch(/^\/api\/coredumps\//);
  });
});

describe('a proxy that TRUSTED_PROXIES does not name', () => {
  it('is named in the log, once', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const app = await aServer({ TRUSTED_PROXIES: '10.0.0.1' }, { log });

    for (const client of ['203.0.113.7', '203.0.113.8'])
      await fetch(`${app.url}/api/config`, { headers: { 'X-Forwarded-For': client, ...bearer('x') } });

    expect(
      lines.filter((line) => /127\.0\.0\.1 sends X-Forwarded-For.*TRUSTED_PROXIES/.test(line)),
    ).toHaveLength(1);
  });
});
