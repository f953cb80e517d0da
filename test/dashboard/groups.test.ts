import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { aDevice } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash, readCrash } from '../support/crashed-program.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';

const ABORT = 'abort in network_handle_reply (network.c)';
const ASSERT = 'assert failed in packet_append (network.c)';

describe.skipIf(!hasChromium)(`the pages of crash groups${NEEDS_CHROMIUM}`, () => {
  it('show a new group and its growing number without a reload, the worst first', async () => {
    const program = await aProgramWithDevice();
    await aDevice(program as never, { key: 'dev2' });
    await aDevice(program as never, { key: 'dev3' });
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByText('Live', { exact: true }).waitFor();
    // Only what comes after the first rows is new.
    await page.getByRole('link', { name: ASSERT }).waitFor();

    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await page.getByText('2 groups').waitFor();
    await readCrash(program, 'thermostat-1.0.0', 'abort', 'dev2');
    await page.getByRole('button', { name: '1 new – show' }).click();
    await expect.poll(() => page.locator('.row-link').allInnerTexts()).toEqual([ABORT, ASSERT]);

    await crash(program, 'thermostat-1.0.0', 'abort', 'dev3');
    await page.getByRole('row').filter({ hasText: ABORT }).getByText('3', { exact: true }).first().waitFor();
  });

  it('are listed by the kind of crash', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/groups' });

    await page.getByLabel('Kind').selectOption('Assertion');

    await page.getByText('1 group').waitFor();
    expect(await page.getByRole('link', { name: ASSERT }).count()).toBe(1);
    expect(await page.getByRole('link', { name: ABORT }).count()).toBe(0);
  });

  it('let people resolve a group, and open it again when it comes back in a later version', async () => {
    const program = await aProgramWithDevice();
    await uploadFirmware(program, { elf: await readFile(fixture('thermostat-1.1.0').elfPath) });
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByRole('link', { name: ABORT }).click();

    await page.getByRole('button', { name: 'Resolve' }).click();
    await page.getByLabel('Fixed in version').fill('1.1.0');
    await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click();
    await page.locator('.dump-line').getByText('in 1.1.0').waitFor();
    await page.getByRole('region', { name: 'Activity' }).getByText('resolved it in 1.1.0').waitFor();
    await crash(program, 'thermostat-1.1.0', 'abort');

    await page.getByText('It was resolved and crashed again in version 1.1.0.').waitFor();
    await page.locator('.dump-line').getByText('2 crashes').waitFor();
  });

  it('keep who works on it and what is known', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByRole('link', { name: ABORT }).click();

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('combobox', { name: 'Assignee' }).fill('ada');
    await page.getByRole('textbox', { name: 'Note' }).fill('Only with the new router <b>firmware</b>.');
    await page.getByRole('button', { name: 'Save' }).click();

    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    const known = 'Only with the new router <b>firmware</b>.';
    await page.getByRole('region', { name: 'Assignee and note' }).getByText(known).waitFor();
    await page.getByRole('region', { name: 'Activity' }).getByText('assigned it to ada').waitFor();
    await page.goto('/groups?q=ada');
    await page.getByRole('link', { name: ABORT }).waitFor();
  });

  it('merge a group into another, and split it off again', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByRole('link', { name: ASSERT }).click();

    await page.getByRole('heading', { level: 1, name: ASSERT }).waitFor();
    const old = decodeURIComponent(new URL(page.url()).pathname).slice('/groups/'.length);
    await page.getByRole('button', { name: 'Merge' }).click();
    await page.getByLabel(ABORT).check();
    await page.getByRole('dialog').getByRole('button', { name: 'Merge' }).click();
    await page.getByRole('heading', { level: 1, name: ABORT }).waitFor();
    await page.locator('.dump-line').getByText('2 crashes').waitFor();
    await page.goto(`/groups/${encodeURIComponent(old)}`);
    await page.getByRole('heading', { level: 1, name: ABORT }).waitFor();
    await page.getByRole('region', { name: 'Activity' }).getByText(`merged ${ASSERT} into it`).waitFor();
    await page.getByRole('button', { name: 'Split off' }).last().click();

    await page.locator('.dump-line').getByText('1 crash', { exact: true }).waitFor();
    expect(decodeURIComponent(new URL(page.url()).pathname)).toBe(`/groups/${old}`);
    await page.goto('/groups');
    await page.getByText('2 groups').waitFor();
  });

  it('are reached from a dump, and from the overview with its chart', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url);

    await page.getByRole('group', { name: 'Crashes a day, last 30 days: 1 in all' }).waitFor();
    await page.getByRole('button', { name: '48 hours' }).click();
    await page.getByRole('group', { name: 'Crashes an hour, last 48 hours: 1 in all' }).waitFor();
    await page.getByRole('link', { name: 'The program stopped itself' }).click();
    await page.getByRole('link', { name: /The only crash of its kind on 1 device/ }).click();

    await page.getByRole('heading', { level: 1, name: ABORT }).waitFor();
  });
});
