import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aDevice } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash, readCrash } from '../support/crashed-program.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';

const ABORT = 'abort in network_handle_reply (network.c)';
/** A refusal is in the console of the browser, as every answer of 400 and more. */
const refused = (complaint: string) => /the server responded with a status of (404|410)/.test(complaint);

/** What the page has copied: the clipboard's API is for secure addresses, and 127.0.0.1 is one. */
async function copied(page: Page, button: string): Promise<string> {
  await page.getByRole('button', { name: button, exact: true }).first().click();
  await page.getByRole('status').getByText('Copied', { exact: true }).first().waitFor({ state: 'attached' });
  return page.evaluate(() => navigator.clipboard.readText());
}

describe.skipIf(!hasChromium)(`the pages of a crash${NEEDS_CHROMIUM}`, () => {
  it('show the newest crash of a group in full, and lead from crash to crash', async () => {
    const program = await aProgramWithDevice();
    await aDevice(program as never, { key: 'dev2' });
    await aDevice(program as never, { key: 'dev3' });
    const first = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const second = await readCrash(program, 'thermostat-1.0.0', 'abort', 'dev2');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByRole('link', { name: ABORT }).click();
    const backtrace = page.getByRole('region', { name: 'Crashed task network' });
    const steps = page.getByRole('navigation', { name: 'Crashes of the group' });

    // In full, the newest first.
    await backtrace.getByText('network_handle_reply').first().waitFor();
    await page.getByRole('heading', { name: 'Registers' }).waitFor();
    await steps.getByRole('link', { name: 'dev2' }).waitFor();

    // To the older one by a key, and back by a click; the address says which one is shown.
    await page.keyboard.press('n');
    await steps.getByRole('link', { name: 'dev1' }).waitFor();
    expect(new URL(page.url()).searchParams.get('dump')).toBe(first.coredumpId);
    await page.getByRole('link', { name: '← Newer' }).click();
    await steps.getByRole('link', { name: 'dev2' }).waitFor();
    expect(new URL(page.url()).searchParams.get('dump')).toBe(second.coredumpId);

    // A filter says which crashes are meant.
    await page.getByRole('button', { name: '1 crash of dev1: show these' }).click();
    await steps.getByRole('link', { name: 'dev1' }).waitFor();
    await page.getByText('1 kept').waitFor();
    // The first answer is out of the cache: which crash is the newest, the server says.
    const answer = page.waitForResponse((response) => response.url().endsWith('/graphql'));
    await page.getByRole('button', { name: 'All crashes' }).click();
    await page.getByText('2 kept').waitFor();
    await answer;

    // A new crash does not replace the one that is read.
    await steps.getByRole('link', { name: 'dev2' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await crash(program, 'thermostat-1.0.0', 'abort', 'dev3');
    await page.getByRole('button', { name: '1 new crash: show' }).waitFor();
    await steps.getByRole('link', { name: 'dev2' }).waitFor();
    await page.getByRole('button', { name: '1 new crash: show' }).click();
    await steps.getByRole('link', { name: 'dev3' }).waitFor();

    // A deletion leads to the next crash, and not away from the group.
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await steps.getByRole('link', { name: 'dev2' }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
  });

  it('say of a group only what is true of the crash that is shown', async () => {
    const program = await aProgramWithDevice();
    await uploadFirmware(program, { elf: await readFile(fixture('thermostat-1.1.0').elfPath) });
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const newest = await readCrash(program, 'thermostat-1.1.0', 'abort');
    const other = await readCrash(program, 'thermostat-1.0.0', 'assert');
    const { coredump } = await program.graphql<{ coredump: { crashGroup: { id: string } } }>(
      'query ($id: ID!) { coredump(id: $id) { crashGroup { id } } }',
      { id: newest.coredumpId },
    );
    const path = `/groups/${encodeURIComponent(coredump.crashGroup.id)}`;
    const head = (page: Page) => page.locator('.dump-head .reason-more');

    // The words of this crash, not of the group's first one.
    const page = await aBrowserPage(program.url, { path });
    await head(page).getByText('abort() was called at PC 0x4200132d on core 0').waitFor();

    // Nor those of a crash that is not in the group any more.
    const moved = await aBrowserPage(program.url, {
      path: `${path}?dump=${encodeURIComponent(other.coredumpId)}`,
    });
    await moved.getByText('The dump of this address is not one of this group, or was deleted.').waitFor();
    expect(await head(moved).innerText()).toContain('abort() was called');
    await moved.getByRole('link', { name: 'The newest crash' }).click();
    await moved.getByRole('region', { name: 'Crashed task network' }).waitFor();
  });

  it('have a chart that is read and chosen by keyboard, in the reader’s time zone', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/groups', timezoneId: 'Asia/Kolkata' });
    await page.getByRole('link', { name: ABORT }).click();
    const chart = page.getByRole('group', { name: 'Crashes a day by version, last 30 days: 1 in all' });
    await chart.getByRole('button', { name: '1 crash', exact: false }).waitFor();
    await page.getByText('Time zone: Asia/Calcutta').or(page.getByText('Time zone: Asia/Kolkata')).waitFor();

    // Tab leads to today; the arrow keys lead to the other days, before which nothing was recorded.
    await chart.getByRole('button').last().focus();
    await page.locator('.chart-tooltip').getByText('1 crash').waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.locator('.chart-tooltip').getByText('no data').waitFor();
    expect(await page.evaluate(() => document.activeElement?.ariaLabel)).toMatch(/: no data$/);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');

    const { searchParams } = new URL(page.url());
    expect(searchParams.get('from')).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(searchParams.get('to')).toBe(searchParams.get('from'));
    await page.getByText('1 kept').waitFor();
  });

  it('have a chart that is read by touch', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { hasTouch: true, viewport: { width: 400, height: 800 } });
    const days = page.getByRole('group', { name: /^Crashes a day/ }).getByRole('img');
    const tooltip = page.locator('.chart-tooltip');
    await days
      .last()
      .and(page.getByRole('img', { name: /1 crash$/ }))
      .waitFor();

    await days.last().tap();
    await tooltip.getByText('1 crash', { exact: true }).waitFor();
    await days.first().tap();
    await tooltip.getByText('no data').waitFor();
  });

  it('give the crash along: as Markdown, and by a link that ends when it is revoked', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId: id } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, {
      ...{ path: `/dumps/${encodeURIComponent(id)}`, permissions: ['clipboard-read', 'clipboard-write'] },
    });
    const { coredump } = await program.graphql<{ coredump: { markdown: string } }>(
      'query ($id: ID!) { coredump(id: $id) { markdown } }',
      { id },
    );

    expect(await copied(page, 'Copy as Markdown')).toBe(coredump.markdown);
    expect(await copied(page, 'Copy backtrace')).toContain('network_handle_reply (');

    await page.getByRole('button', { name: 'Share…' }).click();
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = await page.locator('.code-block pre').innerText();
    const stranger = await aBrowserPage(program.url, { path: link, tolerates: refused });
    await stranger.getByRole('heading', { name: ABORT }).waitFor();
    await stranger.getByText('network_handle_reply').first().waitFor();
    expect(await stranger.getByRole('link').count()).toBe(0);

    await page.getByRole('button', { name: 'Revoke …' }).click();
    await page.getByText(', revoked').waitFor();
    expect(await page.getByText('Link, shown only now').count()).toBe(0);
    await stranger.reload();
    await stranger.getByText('This link was revoked.').waitFor();
  });
});
