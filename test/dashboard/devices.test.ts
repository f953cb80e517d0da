import { describe, expect, it } from 'vitest';
import { upload } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash, readCrash } from '../support/crashed-program.js';

describe.skipIf(!hasChromium)(`the pages of devices${NEEDS_CHROMIUM}`, () => {
  it('register a device, whose token is shown this once and lets it upload', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/devices' });

    await page.getByRole('button', { name: 'New device' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Hallway');
    await page.getByRole('textbox', { name: 'Key' }).fill('hall1');
    await page.getByRole('button', { name: 'Register' }).click();
    const token = await page.getByRole('dialog').locator('pre').first().innerText();
    await page.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('row').filter({ hasText: 'Hallway' }).waitFor();
    expect(await page.getByText(token).count()).toBe(0);
    const response = await upload(program, 'a dump', {
      device: 'hall1',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(201);
  });

  it('let one register as soon as the models to choose from are there', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/devices' });
    const register = page.getByRole('button', { name: 'Register' });
    let isEarlyClickRefused = false;
    await page.route('**/graphql', async (route) => {
      // The answer is kept back until somebody has tried.
      if (route.request().postData()?.includes('ModelsToChoose') === true)
        isEarlyClickRefused = await register.isDisabled();
      await route.continue();
    });

    await page.getByRole('button', { name: 'New device' }).click();
    await page.getByRole('textbox', { name: 'Key' }).fill('hall1');
    await register.click();

    expect(isEarlyClickRefused).toBe(true);

    await page.getByRole('dialog').locator('pre').first().waitFor();
    await page.getByRole('row').filter({ hasText: 'hall1' }).waitFor();
  });

  it('say in the server’s words what is wrong with a new device', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/devices' });

    await page.getByRole('button', { name: 'New device' }).click();
    await page.getByRole('textbox', { name: 'Key' }).fill('dev1');
    await page.getByRole('button', { name: 'Register' }).click();

    await page.getByText(/dev1.*(exists|taken|already)/i).waitFor();
  });

  it('rename a device, give it a new token, revoke that, and delete the device with its dumps', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/devices/dev1' });

    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Cold store');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { level: 1, name: 'Cold store' }).waitFor();

    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByRole('button', { name: 'Make a new token' }).click();
    const token = await page.getByRole('dialog').locator('pre').first().innerText();
    await page.getByRole('button', { name: 'Close' }).click();
    const upload = () =>
      fetch(`${program.url}/api/iot/coredump?chip=esp32c3&firmware_version=1.0.0`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: 'the same dump each time',
      });
    expect((await upload()).status).toBe(201);

    await page.getByRole('button', { name: 'Revoke tokens' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke tokens' }).click();
    await page.getByText('are revoked').waitFor();
    expect((await upload()).status).toBe(401);

    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('Its dumps (2) are deleted with it').waitFor();
    await page.getByRole('button', { name: 'Delete device' }).click();
    await page.getByRole('heading', { name: 'No device is registered yet' }).waitFor();
  });

  it('show a crash of the device without a reload, and teach a device without any its upload', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/devices/dev1' });
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByText('--data-binary').innerText()).toContain('device_key=dev1');

    await crash(program, 'thermostat-1.0.0', 'assert');

    await page.getByRole('row').filter({ hasText: 'packet_append' }).waitFor();
  });
});
