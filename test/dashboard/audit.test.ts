import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram, type Program } from '../support/program.js';
import { asAdmin, isRefusal, signInWith, signOut } from '../support/sign-in.js';

describe.skipIf(!hasChromium)(`the page of the audit${NEEDS_CHROMIUM}`, () => {
  it('says who did what to what and from where, and leads there', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/groups' });
    await page.getByRole('link', { name: 'abort in network_handle_reply' }).click();
    await page.getByRole('button', { name: 'Ignore' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Ignore' }).click();
    await page.getByRole('button', { name: 'Reopen' }).waitFor();

    await page.keyboard.press('g');
    await page.keyboard.press('u');

    const row = page.getByRole('row').filter({ hasText: 'ignoreCrashGroup' });
    await row.getByText('anybody').waitFor();
    expect(await row.innerText()).toContain('127.0.0.1');
    await row.getByRole('link', { name: 'abort in network_handle_reply' }).click();
    await page.getByRole('heading', { level: 1, name: 'abort in network_handle_reply' }).waitFor();
    await page.goto('/audit?action=createDevice');
    await page.getByRole('link', { name: 'dev1' }).click();
    await page.getByRole('heading', { level: 1, name: 'dev1' }).waitFor();
    await page.goto('/audit?action=uploadFirmware');
    await page.getByRole('link', { name: 'thermostat 1.0.0' }).click();
    await page.getByRole('heading', { level: 1, name: 'thermostat' }).waitFor();
  });

  it('narrows the list by what is chosen, in an address that can be passed on', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/audit' });
    await page.getByText('3 events').waitFor();

    await page.getByLabel('Action').fill('createDevice');
    await page.keyboard.press('Enter');
    await page.getByText('1 event', { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('?action=createDevice');
    await page.getByRole('link', { name: 'all its events' }).click();
    await expect.poll(() => new URL(page.url()).search).toMatch(/^\?target=/);
    await page.getByText('1 event', { exact: true }).waitFor();

    await page.getByLabel('Who', { exact: true }).fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('No event matches').waitFor();
    await page.reload();
    await page.getByText('No event matches').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('3 events').waitFor();
    await page.goto('/audit?from=2000-01-01&to=2000-12-31');
    await page.getByText('No event matches').waitFor();
    await page.goto('/audit?from=2000-01-01&to=2999-12-31');
    await page.getByText('3 events').waitFor();
    await page.goto('/audit?target=nonsense');
    await page.getByRole('alert').getByText('targetId must be the id of one of these').waitFor();
  });

  it('has older events on further pages', async () => {
    const program = await aProgram('serve');
    await program.graphql(
      'mutation { createDeviceModel(input: { code: "lamp", name: "Lamp" }) { deviceModel { id } } }',
    );
    for (const dozen of [0, 1, 2, 3, 4]) await registerTwelve(program, dozen);
    const page = await aBrowserPage(program.url, { path: '/audit' });
    await page.getByText('61 events').waitFor();
    expect(await page.getByText('createDeviceModel').count()).toBe(0);

    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByRole('row').filter({ hasText: 'createDeviceModel' }).waitFor();
    await page.getByRole('link', { name: 'Newest' }).click();

    await page.getByRole('link', { name: 'Older' }).waitFor();
  });

  it('is for admins: a viewer is not led there, and told so at its address', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    await asAdmin(
      program,
      'mutation { createDeviceModel(input: { code: "lamp", name: "Lamp" }) { deviceModel { id } } }',
    );
    const page = await aBrowserPage(program.url, { path: '/audit', tolerates: isRefusal });

    await signInWith(page, VIEWER);
    await page.getByRole('heading', { level: 1, name: 'This page is for admins' }).waitFor();
    expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await signOut(page);
    await signInWith(page, ADMIN);

    await page
      .getByRole('row')
      .filter({ hasText: 'createDeviceModel' })
      .getByText('admin · token · 127.0.0.1')
      .waitFor();
    await page.getByRole('link', { name: 'Audit', exact: true }).waitFor();
  });
});

async function registerTwelve(program: Program, dozen: number): Promise<void> {
  const fields = Array.from(
    { length: 12 },
    (_, index) =>
      `d${index}: createDevice(input: { modelCode: "lamp", key: "lamp${12 * dozen + index}" }) { token }`,
  );
  await program.graphql(`mutation { ${fields.join(' ')} }`);
}
