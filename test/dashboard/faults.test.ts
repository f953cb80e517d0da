import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/auth/static-tokens.js';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { aProgram } from '../support/program.js';

describe.skipIf(!hasChromium)(`the page in trouble${NEEDS_CHROMIUM}`, () => {
  it('says that an address leads nowhere, whatever is wrong with it', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url);

    const notThere = page.getByRole('heading', { name: 'This page does not exist' });
    // Cut within an escape, no id at all, the id of something else, of the right kind but gone.
    for (const part of ['Q29yZWR1bXA6MQ%3', 'garbage', btoa('CrashGroup:1'), btoa('Coredump:999')]) {
      await page.goto(`/dumps/${part}`);
      await notThere.waitFor();
    }
    for (const path of ['/groups/%E0%A4%A', '/alerts/1', '/devices/nobody', '/firmware/nothing']) {
      await page.goto(path);
      await notThere.waitFor();
    }
    await page.getByRole('link', { name: 'Back to the overview' }).click();
    await page.getByRole('heading', { name: 'Fleet' }).waitFor();
  });

  it('keeps a failure of one page on that page, and shows its text', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, {
      path: '/dumps',
      tolerates: (complaint) => /TypeError|split|boundary/i.test(complaint),
    });
    await page.getByRole('row').nth(1).waitFor();
    // A report that no version of the reader writes.
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      const text = (await response.text()).replaceAll(/"reason":"[^"]*"/g, '"reason":7');
      await route.fulfill({ response, body: text });
    });

    await page.goto(`/dumps/${encodeURIComponent(coredumpId)}`);
    await page.getByRole('heading', { name: 'This page cannot be shown' }).waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);
    await page.getByRole('link', { name: 'Devices' }).click();

    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('leads back by Escape and by the crumbs to the list with its filters', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/dumps?status=parsed&chip=esp32c3' });
    const address = () => new URL(page.url()).pathname + new URL(page.url()).search;

    for (const back of ['Escape', 'crumb']) {
      await page.getByRole('row').nth(1).getByRole('link').first().click();
      await page.getByRole('heading', { level: 1, name: /abort/ }).waitFor();
      if (back === 'Escape') await page.keyboard.press('Escape');
      else await page.getByRole('navigation', { name: 'Where this is' }).getByRole('link').first().click();

      await expect.poll(address).toBe('/dumps?status=parsed&chip=esp32c3');
    }
  });

  it('begins a dialog in its first field, and a question at the answer that changes nothing', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url, { path: '/devices/dev1' });
    const focused = () => page.evaluate('document.activeElement.name || document.activeElement.textContent');

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await focused()).toBe('Cancel');
    await page.keyboard.press('Escape');
    await page.goto('/alerts');
    await page.getByRole('button', { name: 'New alert' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await focused()).toBe('name');
  });
});

describe.skipIf(!hasChromium)(`the empty page${NEEDS_CHROMIUM}`, () => {
  it('has the lines for the first device of this server, with a key that it makes', async () => {
    const adminToken = 'a-token-for-the-empty-page';
    const program = await aProgram('serve', {
      environment: { ADMIN_TOKENS: `sha256:${sha256(adminToken)}` },
    });
    await fetch(`${program.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${adminToken}` },
      body: JSON.stringify({
        query: 'mutation { createDeviceModel(input: { code: "pump", name: "Pump" }) { deviceModel { id } } }',
      }),
    });
    const page = await aBrowserPage(program.url);
    await page.getByLabel('Token of a viewer or admin').fill(adminToken);
    await page.keyboard.press('Enter');

    await page.getByRole('button', { name: 'Make one for these lines' }).click();
    const shell = page.locator('pre').filter({ hasText: 'curl' });
    await expect.poll(() => shell.innerText()).toMatch(/Bearer cdk_[A-Za-z0-9_-]{20,}/);

    const [, key = ''] = /Bearer (cdk_\S+)'/.exec(await shell.innerText()) ?? [];
    await page.getByText(`CONFIG_COREDOCK_INGEST_KEY="${key}"`).waitFor();
    const answer = await fetch(`${program.url}/api/iot/boot?device_serial=SN-1&firmware_version=1.0.0`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}` },
    });
    expect(answer.status).toBe(204);
  });
});
