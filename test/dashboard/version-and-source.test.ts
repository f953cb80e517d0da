import { describe, expect, it } from 'vitest';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';

describe.skipIf(!hasChromium)(`a crash of a device that was updated since${NEEDS_CHROMIUM}`, () => {
  it('shows the version that crashed, and its own frames lead to the line in the repository', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort', 'dev1', '1.5.0');
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });

    await page.getByRole('button', { name: 'Change links' }).click();
    await page.getByLabel('Source line').fill('http://git.example.com/{path}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('“Source line” begins with "https://".').waitFor();
    await page.getByRole('button', { name: 'GitHub' }).first().click();
    await page.getByLabel('Source line').fill('https://git.example.com/acme/fw/blob/main/{path}#L{line}');
    await page.getByLabel('Beginnings of file names').fill('/firmware/');
    await page.getByText('Example: https://git.example.com/acme/fw/blob/main/main/app.c#L42').waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('https://git.example.com/acme/fw/blob/main/{path}#L{line}').waitFor();

    await page.goto('/dumps?version=1.0.0');
    const row = page.getByRole('row').filter({ hasText: 'abort() was called' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/1\.0\.0\s*\(device reported 1\.5\.0\)/);

    await page.goto(`/dumps/${encodeURIComponent(coredumpId)}`);
    const link = page.getByRole('link', { name: / line \d+ in the repository$/ }).first();
    await link.waitFor();
    const path = await link.getAttribute('href');
    expect(path).toMatch(/^https:\/\/git\.example\.com\/acme\/fw\/blob\/main\/[\w/.-]+\.c#L\d+$/);
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
    await page.getByText('(device reported 1.5.0)').first().waitFor();
  });
});
