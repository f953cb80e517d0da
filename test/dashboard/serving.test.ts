import { describe, expect, it } from 'vitest';
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

  it('are kept for ever by their hashed names, and weigh less than 200 kB together', async () => {
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
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(200_000);
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
