import type { Page } from 'playwright-core';
import { describe, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';

describe.skipIf(!hasChromium)(`what changes while the page opens${NEEDS_CHROMIUM}`, () => {
  it('is shown when it happened before the server began to follow changes for the page', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url);
    const subscribe = await holdSubscriptions(page);
    await page.goto('/');
    await page.getByRole('heading', { name: 'No dump has arrived yet' }).waitFor();

    await readCrash(program, 'thermostat-1.0.0', 'assert');
    subscribe();

    await page.getByRole('row').filter({ hasText: 'packet_append' }).first().waitFor();
  });
});

/** Keeps back what subscribes, until the returned function is called. */
async function holdSubscriptions(page: Page): Promise<() => void> {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage(async (message) => {
      if (message.toString().includes('"type":"subscribe"')) await opened;
      server.send(message);
    });
  });
  return () => open();
}
