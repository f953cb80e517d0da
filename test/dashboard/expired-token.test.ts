import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram } from '../support/program.js';
import { aPageIssuer, isRefusal, signInAt, signInWith } from '../support/sign-in.js';

/** With which a server closes a WebSocket whose token has expired. */
const EXPIRED = 4403;

describe.skipIf(!hasChromium)(`a page whose token has expired${NEEDS_CHROMIUM}`, () => {
  it('renews it where it can, though it has missed the time for it', { timeout: 240_000 }, async () => {
    const { issuer, environment } = await aPageIssuer({ tokenSeconds: 33 });
    const program = await aProgram('serve', { environment });
    const page = await aBrowserPage(program.url, {
      path: '/firmware',
      tolerates: (complaint) =>
        isRefusal(complaint) || /asked http|Failed to load resource|fonts/.test(complaint),
    });
    const socket = await aSocketOf(page);
    await page.getByRole('button', { name: `Sign in with ${new URL(issuer).host}` }).click();
    await signInAt(page, 'ada');
    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    // As in a computer that sleeps: the renewal fails, once.
    let failed = 0;
    await page.route(
      `${issuer}/token`,
      (route) => {
        failed += 1;
        return route.abort();
      },
      { times: 1 },
    );
    await expect.poll(() => failed, { timeout: 60_000 }).toBe(1);
    const token = () => page.evaluate('JSON.parse(sessionStorage.getItem("coredock.session")).token');
    const before = await token();

    await socket.close();

    await expect.poll(token, { timeout: 60_000 }).not.toBe(before);
    await expect.poll(socket.opened).toBeGreaterThan(1);
    expect(await page.getByRole('heading', { name: 'No model yet' }).isVisible()).toBe(true);
  });

  it('asks for another where it cannot', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const page = await aBrowserPage(program.url, { path: '/firmware' });
    const socket = await aSocketOf(page);
    await signInWith(page, VIEWER);
    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    await expect.poll(socket.opened).toBe(1);

    await socket.close();

    await page.getByLabel('Token of a viewer or admin').waitFor();
  });
});

/** The page's connection to the server, which a test can close in the name of the server. */
async function aSocketOf(page: Page) {
  let opened = 0;
  let close = async () => {};
  await page.routeWebSocket('**/graphql', (socket) => {
    opened += 1;
    socket.connectToServer();
    close = () => socket.close({ code: EXPIRED, reason: 'The token has expired.' });
  });
  // Routes are for the connections of a page that is loaded after them.
  await page.reload();
  return { opened: () => opened, close: () => close() };
}
