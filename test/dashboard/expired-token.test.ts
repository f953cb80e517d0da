import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram } from '../support/program.js';
import { isRefusal, signInWith } from '../support/sign-in.js';

/** With which a server closes a WebSocket whose token or session has ended. */
const ENDED = 4403;

describe.skipIf(!hasChromium)(`a page whose connection the server has ended${NEEDS_CHROMIUM}`, () => {
  it('continues where its session goes on', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    const page = await aBrowserPage(program.url, { path: '/firmware' });
    const socket = await aSocketOf(page);
    await signInWith(page, VIEWER);
    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    await expect.poll(socket.opened).toBe(1);

    await socket.close();

    await expect.poll(socket.opened).toBeGreaterThan(1);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('heading', { name: 'No model yet' }).isVisible()).toBe(true);
  });

  it('asks for another sign-in where it does not, and connects again after that', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    // What it asks just when its session ends is refused.
    const page = await aBrowserPage(program.url, { path: '/firmware', tolerates: isRefusal });
    const socket = await aSocketOf(page);
    await signInWith(page, VIEWER);
    await expect.poll(socket.opened).toBe(1);

    await fetch(`${program.url}/api/session?everywhere=true`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${VIEWER}` },
    });

    await page.getByText('Your session has ended.').waitFor();
    await signInWith(page, VIEWER);
    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(socket.opened()).toBe(2);
  });
});

/** The page's connection to the server, which a test can close in the name of the server. */
async function aSocketOf(page: Page) {
  let opened = 0;
  let close = async () => {};
  await page.routeWebSocket('**/graphql', (socket) => {
    opened += 1;
    socket.connectToServer();
    close = () => socket.close({ code: ENDED, reason: 'The session has ended: sign in again.' });
  });
  // Routes are for the connections of a page that is loaded after them.
  await page.reload();
  return { opened: () => opened, close: () => close() };
}
