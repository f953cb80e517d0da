import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { stored } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { aProgram, type Program } from '../support/program.js';

const CREATE = `mutation ($devices: [NewDevice!]!) {
  createDevices(input: { modelCode: "thermostat", devices: $devices }) { devices { device { id } } }
}`;

/** Nothing reads the dumps, so each is a row at once. */
async function aFleetOfDumps(count: number): Promise<Program> {
  const program = await aProgram('serve', { environment: { MAX_COREDUMPS: '1000' } });
  await program.graphql(
    'mutation { createDeviceModel(input: { code: "thermostat", name: "T" }) { clientMutationId } }',
  );
  await program.graphql(CREATE, { devices: [{ key: 'dev1' }, { key: 'dev2', serial: 'SN-2' }] });
  await arrive(program, 0, count);
  return program;
}

/** Dumps that differ, sent one after the other. */
async function arrive(program: Program, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n += 1)
    await stored(program, Buffer.from(`dump ${n}`), { device: 'dev1' });
}

const rowsOf = (page: Page) => page.locator('tbody .row-link');

async function live(page: Page): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor();
  await rowsOf(page).first().waitFor();
}

describe.skipIf(!hasChromium)(`lists of the page${NEEDS_CHROMIUM}`, () => {
  it('do not move under the pointer: ten clicks hit what was aimed at while 100 dumps arrive', async () => {
    const program = await aFleetOfDumps(12);
    const page = await aBrowserPage(program.url, { path: '/dumps' });
    await live(page);

    for (let n = 0; n < 10; n += 1) {
      const link = rowsOf(page).nth(n);
      const aimed = await link.getAttribute('href');
      const box = await link.boundingBox();
      if (box === null) throw new Error('the row is not on the page');
      // What was seen before ten dumps arrive is clicked when the page knows of them.
      await arrive(program, 100 + 10 * n, 10);
      await page.getByRole('button', { name: /\d+\+? new/ }).waitFor();
      await page.mouse.click(box.x + 5, box.y + box.height / 2);
      await page.waitForURL((url) => url.pathname.startsWith('/dumps/'));
      expect(new URL(page.url()).pathname).toBe(aimed);
      await page.goBack();
      await live(page);
    }
  });

  it('say how many are new, and show them when asked', async () => {
    const program = await aFleetOfDumps(2);
    const page = await aBrowserPage(program.url, { path: '/dumps' });
    await live(page);

    await arrive(program, 10, 3);

    const bar = page.getByRole('button', { name: '3 new – show' });
    await bar.waitFor();
    expect(await rowsOf(page).count()).toBe(2);
    await bar.click();
    await expect.poll(() => rowsOf(page).count()).toBe(5);
    await bar.waitFor({ state: 'detached' });
  });

  it('take what is no day of the calendar for no day', async () => {
    const program = await aFleetOfDumps(2);
    const page = await aBrowserPage(program.url, { path: '/dumps?from=2026-99-99' });
    await live(page);

    expect(await rowsOf(page).count()).toBe(2);
  });

  it('sort by their heads, in an address that can be passed on', async () => {
    const program = await aFleetOfDumps(1);
    const page = await aBrowserPage(program.url, { path: '/devices' });
    await live(page);
    const head = page.getByRole('columnheader', { name: 'Crashes' });
    const first = () => rowsOf(page).first().innerText();
    expect(await first()).toBe('SN-2');

    await head.getByRole('button').click();

    await expect.poll(first).toBe('dev1');
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    expect(new URL(page.url()).search).toBe('?sort=crashes');
    await head.getByRole('button').click();
    await expect.poll(first).toBe('SN-2');
    expect(new URL(page.url()).search).toBe('?sort=crashes&dir=asc');
    await page.reload();
    await expect.poll(first).toBe('SN-2');

    await page.getByRole('columnheader', { name: 'Device' }).getByRole('button').click();
    await expect.poll(() => new URL(page.url()).search).toBe('?sort=name&dir=asc');
  });

  it('delete the dumps that are selected, with Shift a range of them, unless it is undone', async () => {
    const program = await aFleetOfDumps(4);
    const page = await aBrowserPage(program.url, { path: '/dumps' });
    await live(page);
    const boxes = page.getByRole('checkbox', { name: /^Select coredump_/ });
    await boxes.nth(0).click();
    await boxes.nth(2).click({ modifiers: ['Shift'] });
    const bar = page.getByRole('region', { name: 'Selected rows' });
    await bar.getByText('3 selected').waitFor();

    await bar.getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => rowsOf(page).count()).toBe(1);
    await page.getByRole('button', { name: 'Undo' }).click();

    await expect.poll(() => rowsOf(page).count()).toBe(4);
  });

  it('resolve groups together, and open them again', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await live(page);

    await page.getByRole('checkbox', { name: 'Select all shown' }).click();
    await page.getByRole('button', { name: 'Resolve…' }).click();
    await page.getByLabel('Fixed in version').fill('1.1.0');
    await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click();
    await page.getByText('2 groups are resolved').waitFor();
    await page.getByText('No crash group matches').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();

    await expect.poll(() => rowsOf(page).count()).toBe(2);
  });

  it('are saved with their filters, which Escape in a field does not change, and exported', async () => {
    const program = await aFleetOfDumps(2);
    const page = await aBrowserPage(program.url, { path: '/dumps?device=dev1' });
    await live(page);
    await page.getByLabel('Words').fill('other');
    await page.keyboard.press('Escape');
    expect(await page.getByLabel('Words').inputValue()).toBe('');
    await page.getByLabel('Device key').click();
    await page.getByRole('option', { name: 'dev2' }).waitFor();
    await page.keyboard.press('Escape');
    expect(new URL(page.url()).search).toBe('?device=dev1');

    await page.getByText('Views', { exact: true }).click();
    await page.getByRole('button', { name: 'Save this list…' }).click();
    await page.getByLabel('Name').fill('Of dev1');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('This list is saved as “Of dev1”').waitFor();
    await page.goto('/groups');
    await page.getByText('Views', { exact: true }).click();
    await page.getByRole('link', { name: 'Of dev1' }).click();
    await page.waitForURL('**/dumps?device=dev1');

    await page.getByText('Export', { exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'As CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('coredumps.csv');
    expect(new URL(download.url()).search).toBe('?device=dev1');
  });

  it('fill filters with what the fleet has', async () => {
    const program = await aFleetOfDumps(1);
    const page = await aBrowserPage(program.url, { path: '/dumps' });
    await live(page);

    await page.getByLabel('Device key').pressSequentially('SN-');
    await page.getByRole('option', { name: 'dev2 SN-2' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');

    await page.getByText('No dump matches').waitFor();
    expect(new URL(page.url()).search).toBe('?device=dev2');
    await page.getByLabel('Device key').fill('');
    await page.keyboard.press('Enter');
    await page.getByLabel('Arrived').selectOption('Last 24 hours');
    await page.getByText('1 dump', { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('?since=24h');
  });
});
