import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';

const ABORT = 'abort in network_handle_reply (network.c)';

describe.skipIf(!hasChromium)(`own code and tags on the page${NEEDS_CHROMIUM}`, () => {
  it('lead from a frame to a rule, by the keyboard, and show what it changes before and after', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: `/dumps/${encodeURIComponent(coredumpId)}` });

    const frame = page.locator('.frame', { hasText: 'network_handle_reply' }).first();
    expect(await frame.getAttribute('data-own')).toBe('true');
    await frame.getByText('⋯').focus();
    await page.keyboard.press('Enter');
    await frame.getByRole('link', { name: 'Treat network_handle_reply as not own code' }).focus();
    await page.keyboard.press('Enter');

    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('Pattern of rule 1').inputValue()).toBe('network_handle_reply');
    await dialog.getByText('1 crash of 1 group changes its place.').waitFor();
    await dialog.getByText('(the group is renamed)').waitFor();
    await dialog.getByRole('button', { name: 'Save and regroup' }).click();
    await dialog.waitFor({ state: 'hidden' });

    await page.getByRole('region', { name: 'Own code' }).getByText('not own').waitFor();
    await page.goto('/groups');
    await page.getByRole('link', { name: /^abort in / }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: ABORT }).count()).toBe(0);
    await page.goto(`/dumps/${encodeURIComponent(coredumpId)}`);
    await expect.poll(() => frame.getAttribute('data-own')).toBe('false');
  });

  it('give a tag on the page of a group, find its groups, and match others by a rule', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByRole('link', { name: ABORT }).click();

    await page.getByLabel('Add a tag').fill('network');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove tag network' }).waitFor();
    await page.getByRole('link', { name: 'All tags' }).click();

    const tag = page.getByRole('region', { name: 'Tag network' });
    await tag.getByRole('button', { name: 'Add rule' }).click();
    await page.getByRole('dialog').getByLabel('File, without folders').fill('network.*');
    await page.getByRole('dialog').getByText('Matches 2 groups').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Save and apply' }).click();
    await tag.getByRole('link', { name: '2 groups' }).click();

    await page.getByText('2 groups').waitFor();
    expect(await page.locator('.list .tag-chip').allInnerTexts()).toEqual(['network', 'network']);
    await page.getByRole('link', { name: 'Tags', exact: true }).click();
    await tag.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByText('It is on 2 groups').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete tag' }).click();
    await page.getByText('No tag yet').waitFor();
  });
});
