import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgram } from '../support/program.js';

/** What a browser says that it accepts when somebody opens an address. */
const BROWSER = { accept: 'text/html,application/xhtml+xml', 'accept-encoding': 'br' };

describe('the page’s files', () => {
  it('come at / and at every address of the page, always asked for anew, nothing from elsewhere allowed', async () => {
    const { url } = await aProgram('serve');

    const answers = await Promise.all(
      ['/', '/dumps', '/dumps/Q29yZWR1bXA6MQ%3D%3D'].map((path) => fetch(url + path, { headers: BROWSER })),
    );

    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/https?:|unsafe|\*/);
      expect(await answer.text()).toContain('<div id="page">');
    }
  });

  it('may ask the issuer, and who it says gives out its tokens, as soon as that is known', async () => {
    const issuer = await anIssuer('https://tokens.example:8443/oauth2/token');
    const { url } = await aProgram('serve', { environment: issuer.environment });
    const ask = async () =>
      /connect-src ([^;]*)/.exec(
        (await fetch(url, { headers: BROWSER })).headers.get('content-security-policy') ?? '',
      )?.[1];

    // It does not answer, also not at the program's start; and nobody else asks it than the page's visitors.
    expect(await ask()).toBe(`'self' ${issuer.origin}`);
    issuer.open();

    await expect.poll(ask, { timeout: 60_000 }).toBe(`'self' ${issuer.origin} https://tokens.example:8443`);
  });

  it('take no other word than the name of a web host from the issuer', async () => {
    const issuer = await anIssuer("javascript:alert(1); script-src 'unsafe-inline'");
    issuer.open();
    const { url, log } = await aProgram('serve', {
      environment: { ...issuer.environment, LOG_LEVEL: 'debug' },
    });
    await expect.poll(issuer.askedFor, { timeout: 60_000 }).toContain('/keys');

    const answer = await fetch(url, { headers: BROWSER });

    expect(answer.headers.get('content-security-policy')).toContain(
      `connect-src 'self' ${issuer.origin}; base-uri`,
    );
    expect(log()).not.toContain('does not answer');
  });

  it('are kept for ever by their hashed names, and weigh less than 150 kB together', async () => {
    const { url } = await aProgram('serve');
    const index = await (await fetch(url, { headers: BROWSER })).text();
    const names = [...index.matchAll(/(?:src|href)="(\/(?:assets\/|favicon)[^"]+)"/g)].map(
      ([, name]) => name ?? '',
    );

    const files = await Promise.all(names.map((name) => fetch(url + name, { headers: BROWSER })));

    expect(names.length).toBeGreaterThan(2);
    const assets = files.filter((file) => file.url.includes('/assets/'));
    for (const { headers } of assets) {
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-encoding')).toBe('br');
    }
    const sizes = files.map(({ headers }) => Number(headers.get('content-length')));
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(150_000);
  });

  it('come by themselves where only admins need them, and what does not come leaves the rest of the page', async ({
    skip,
  }) => {
    if (!hasChromium) skip(NEEDS_CHROMIUM);
    const { url } = await aProgram('serve');
    const asked: string[] = [];
    const page = await aBrowserPage(url, {
      path: '/firmware',
      tolerates: (complaint) => /ERR_FAILED|dynamically imported/.test(complaint),
    });
    page.on('request', (request) => void asked.push(new URL(request.url()).pathname));
    await page.route('**/assets/alerts-page*', (route) => route.abort());
    await page.reload();
    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    expect(asked.filter((path) => /alert|audit/.test(path))).toEqual([]);

    await page.getByRole('link', { name: 'Alerts' }).click();
    await page.getByRole('heading', { name: 'This page cannot be loaded' }).waitFor();
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
    await page.unroute('**/assets/alerts-page*');
    await page.getByRole('link', { name: 'Alerts' }).click();
    await page.getByRole('button', { name: 'Reload' }).click();

    await page.getByRole('heading', { name: 'No alert yet' }).waitFor();
  });

  it('are not sent again to who has them', async () => {
    const { url } = await aProgram('serve');
    const etag = (await fetch(url, { headers: BROWSER })).headers.get('etag') ?? '';

    const again = await fetch(url, { headers: { ...BROWSER, 'if-none-match': etag } });

    expect(again.status).toBe(304);
    expect(again.headers.get('content-security-policy')).toContain("script-src 'self'");
  });

  it('do not stand in the way of programs: what is missing stays missing, and only reading is allowed', async () => {
    const { url } = await aProgram('serve');
    const status = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status;

    expect(await status('/api/nowhere', { headers: BROWSER })).toBe(404);
    expect(await status('/assets/gone.js', { headers: BROWSER })).toBe(404);
    expect(await status('/nowhere', { headers: { accept: 'application/json' } })).toBe(404);
    expect(await status('/../../package.json', { headers: BROWSER })).toBe(200); // the page: no file has that name
    expect(await status('/', { method: 'POST' })).toBe(404);
    expect((await fetch(`${url}/graphql`, { headers: BROWSER })).headers.get('content-type')).toContain(
      'html',
    );
  });
});

/** As much of an issuer as the server asks for: a discovery document and no keys. It answers 503 until it is opened. */
async function anIssuer(tokenEndpoint: string) {
  const askedFor: string[] = [];
  let isOpen = false;
  const server = createServer((request, response) => {
    askedFor.push(request.url ?? '');
    if (!isOpen) return response.writeHead(503).end();
    const document = { issuer: origin, jwks_uri: `${origin}/keys`, token_endpoint: tokenEndpoint };
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [] } : document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    askedFor: () => askedFor,
    open: () => {
      isOpen = true;
    },
    environment: { OIDC_ISSUER: origin, OIDC_AUDIENCE: 'coredock', OIDC_CLIENT_ID: 'page' },
  };
}
