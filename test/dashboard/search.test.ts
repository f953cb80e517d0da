import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash, readCrash } from '../support/crashed-program.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';

describe.skipIf(!hasChromium)(`searching on the page${NEEDS_CHROMIUM}`, () => {
  it('finds groups and dumps from anywhere, with the place that matches highlighted', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/firmware' });
    await page.getByRole('heading', { level: 1, name: 'Firmware' }).waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('packet_app');
    await page.keyboard.press('Enter');

    const dumps = page.getByRole('region', { name: 'Dumps' });
    await dumps.waitFor();
    expect(await dumps.getByRole('listitem').count()).toBe(1);
    expect((await dumps.locator('mark').first().innerText()).toLowerCase()).toContain('packet');
    expect(new URL(page.url()).search).toBe('?q=packet_app');
    await page.getByRole('region', { name: 'Crash groups' }).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: /assert failed in packet_append/ }).waitFor();
  });

  it('shows what it finds as one types, by kind and with counts, and opens what is chosen with the keyboard', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/firmware' });
    await page.getByRole('heading', { level: 1, name: 'Firmware' }).waitFor();
    const field = page.getByRole('combobox', { name: 'Search the fleet' });

    await page.keyboard.press('/');
    await page.keyboard.type('packet_app');
    await page.getByRole('group', { name: 'Crash groups' }).getByRole('option').waitFor();
    await page.getByRole('group', { name: 'Dumps' }).getByRole('option').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('listbox').waitFor({ state: 'detached' });
    expect(await field.inputValue()).toBe('packet_app');

    await field.fill('dev1');
    const device = page.getByRole('group', { name: 'Devices' }).getByRole('option', { name: 'dev1' });
    await device.waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await field.getAttribute('aria-activedescendant')).toBe(await device.getAttribute('id'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'dev1' }).waitFor();
  });

  it('says what a search needs, also while it is asked again because something crashes', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/search?q=%22' });
    const refusal = page.getByText('A search needs at least one letter or digit.');
    await refusal.waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    const askedAgain = page.waitForResponse(
      (response) => response.request().postData()?.includes('SearchFleet') ?? false,
    );
    await crash(program, 'thermostat-1.0.0', 'abort');
    await askedAgain;

    await refusal.waitFor();
    expect(await page.getByText('This page cannot be shown').count()).toBe(0);
  });

  it('finds a device by the beginning of its key', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/search?q=dev' });

    await page.getByRole('region', { name: 'Devices' }).getByRole('link', { name: 'dev1' }).click();

    await page.getByRole('heading', { level: 1, name: 'dev1' }).waitFor();
  });

  it('says so when nothing is found, and how to search', async () => {
    const program = await aProgramWithDevice();

    const page = await aBrowserPage(program.url, { path: '/search?q=nowhere' });

    await page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
  });
});

describe.skipIf(!hasChromium)(`missing firmware on the page${NEEDS_CHROMIUM}`, () => {
  it('is named while dumps wait for it, and no more when it has come', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url);
    await page.getByText('Live', { exact: true }).waitFor();

    await crash(program, 'thermostat-1.0.0', 'abort');
    const hint = page.getByRole('list', { name: 'Missing firmware' });
    await hint.getByText('1 dump of 1 device waits for the ELF of').waitFor();
    await uploadFirmware(program, { elf: await readFile(fixture('thermostat-1.0.0').elfPath) });

    await page.getByRole('row').filter({ hasText: 'network_handle_reply' }).first().waitFor();
    await hint.waitFor({ state: 'detached' });
  });
});
