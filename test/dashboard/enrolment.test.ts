import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram, type Program } from '../support/program.js';
import { asAdmin, isRefusal, signInWith } from '../support/sign-in.js';

async function aClosedProgram(): Promise<Program> {
  const program = await aProgram('serve', { environment: STATIC_TOKENS });
  await asAdmin(program, CREATE_MODEL, { input: { code: 'thermostat', name: 'Thermostat' } });
  return program;
}

const CREATE_MODEL =
  'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }';
const CREATE_KEY =
  'mutation ($input: CreateIngestKeyInput!) { createIngestKey(input: $input) { key ingestKey { id } } }';

async function aKey(program: Program, input: object = {}): Promise<string> {
  const { createIngestKey } = await asAdmin<{ createIngestKey: { key: string } }>(program, CREATE_KEY, {
    input: { modelCode: 'thermostat', name: 'Line 2', ...input },
  });
  return createIngestKey.key;
}

async function aSignedInPage(program: Program, token: string, path = '/enrolment'): Promise<Page> {
  const page = await aBrowserPage(program.url, { path, tolerates: isRefusal });
  await signInWith(page, token);
  await page.getByText('Live', { exact: true }).waitFor();
  return page;
}

/** A device uploads a dump with the key of its product. */
async function upload(program: Program, key: string, serial: string, dump = 'a dump'): Promise<number> {
  const query = new URLSearchParams({ chip: 'esp32c3', firmware_version: '1.0.0', device_serial: serial });
  const response = await fetch(`${program.url}/api/iot/coredump?${query}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}` },
    body: `${dump} of ${serial}`,
  });
  await response.arrayBuffer();
  return response.status;
}

const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

describe.skipIf(!hasChromium)(`the page of enrolment${NEEDS_CHROMIUM}`, () => {
  it('makes a key, shows the devices that come with it, lets them in, and revokes the key', async () => {
    const program = await aClosedProgram();
    const page = await aSignedInPage(program, ADMIN);

    await page.getByRole('button', { name: 'New ingest key' }).click();
    await page.getByLabel('Name').fill('Line 2');
    await page.getByLabel('An admin must approve each new device').check();
    await page.getByRole('button', { name: 'Make the key' }).click();
    const shown = page.getByRole('dialog').locator('pre');
    const key = await shown.first().innerText();
    expect(key).toMatch(/^cdk_[\w-]{43}$/);
    expect(await shown.nth(1).innerText()).toBe(
      `CONFIG_COREDOCK_URL="${program.url}"\nCONFIG_COREDOCK_INGEST_KEY="${key}"`,
    );
    expect(await shown.nth(2).innerText()).toContain(`Authorization: Bearer ${key}`);
    await page.getByRole('button', { name: 'Close' }).click();
    await rowOf(page, 'Line 2').getByText('100 an hour, with approval').waitFor();
    expect(await page.getByText(key).count()).toBe(0);

    expect(await upload(program, key, 'SN-0001')).toBe(201);
    await rowOf(page, 'SN-0001').getByText('Waiting for approval').waitFor();
    await page.getByRole('button', { name: 'Waiting for approval (1)' }).click();
    await page.getByRole('button', { name: 'Approve SN-0001' }).click();
    await page.getByText('No device waits for approval.').waitFor();
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await rowOf(page, 'SN-0001').getByText('Approved').waitFor();

    await page.getByRole('button', { name: 'Revoke Line 2' }).click();
    await page.getByText('also those of the 1 device that it registered').waitFor();
    await page.getByRole('button', { name: 'Revoke key' }).click();
    await rowOf(page, 'Line 2').getByText('revoked').waitFor();
    expect(await upload(program, key, 'SN-0001', 'another dump')).toBe(401);
  });

  it('approves and rejects several devices at once; what was rejected is refused, and can be approved later', async () => {
    const program = await aClosedProgram();
    const key = await aKey(program, { requiresApproval: true });
    const page = await aSignedInPage(program, ADMIN, '/enrolment?model=thermostat&show=waiting');
    for (const serial of ['A-1', 'A-2', 'B-1', 'B-2']) expect(await upload(program, key, serial)).toBe(201);
    await page.getByRole('button', { name: 'Waiting for approval (4)' }).waitFor();

    for (const serial of ['A-1', 'A-2'])
      await page.getByRole('checkbox', { name: `Select ${serial}` }).check();
    await page.getByRole('button', { name: 'Approve selected' }).click();
    await page.getByText('2 devices approved').waitFor();
    await page.getByRole('button', { name: 'Waiting for approval (2)' }).waitFor();
    await page.getByRole('checkbox', { name: 'All of this page' }).check();
    await page.getByRole('button', { name: 'Reject selected' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reject', exact: true }).click();
    await page.getByText('2 devices rejected').waitFor();
    expect(await upload(program, key, 'B-1', 'another dump')).toBe(403);

    await page.getByRole('button', { name: 'Rejected', exact: true }).click();
    await page.getByRole('link', { name: 'B-1' }).click();
    const facts = page.getByRole('region', { name: 'About this device' });
    await facts.getByText('by itself, with the ingest key Line 2').waitFor();
    await facts.getByText('an ingest key of its model').waitFor();
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await facts.getByText('Approved').waitFor();
    expect(await upload(program, key, 'B-1', 'another dump')).toBe(201);
  });

  it('registers the devices of a CSV file, after it has shown what is in it; a second time nothing is new', async () => {
    const program = await aClosedProgram();
    const page = await aSignedInPage(program, ADMIN);
    const choose = async (text: string) => {
      await page.getByRole('button', { name: 'Import CSV' }).click();
      await page.getByLabel('File').setInputFiles({
        name: 'devices.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(text),
      });
    };

    await choose('serial;name\r\nSN 1;Hall\r\nSN-2;Cellar\r\nSN-2;again\r\n');
    await page.getByText('2 lines cannot be read').waitFor();
    await page.getByText('Line 2: The serial "SN 1"').waitFor();
    await page.getByText('Line 4: The serial "SN-2" is already in line 3.').waitFor();
    expect(await page.getByRole('button', { name: 'Register' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Cancel' }).click();

    const serials = Array.from({ length: 450 }, (_, index) => `SN-${index + 1}`);
    const file = `serial;name\r\n${serials.map((serial) => `${serial};Hall ${serial}`).join('\r\n')}\r\n`;
    await choose(file);
    await page.getByLabel('Make a token for each device').check();
    await page.getByRole('button', { name: 'Register 450 devices' }).click();
    await page.getByText('450 devices registered, 0 already there').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save 450 tokens' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('tokens.csv');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('450 devices', { exact: true }).waitFor();

    await choose(`${file}SN-451;Hall\r\n`);
    await page.getByRole('button', { name: 'Register 451 devices' }).click();
    await page.getByText('1 device registered, 450 already there').waitFor();
  });

  it('shows viewers all of it, and nothing to change it with', async () => {
    const program = await aClosedProgram();
    await upload(program, await aKey(program, { requiresApproval: true }), 'SN-0001');

    const page = await aSignedInPage(program, VIEWER);

    await rowOf(page, 'SN-0001').getByText('Waiting for approval').waitFor();
    await rowOf(page, '100 an hour').getByText('Line 2').waitFor();
    for (const name of [/New ingest key/, /Import/, /Revoke/, /Approve/, /Reject /]) {
      expect(await page.getByRole('button', { name }).count(), String(name)).toBe(0);
    }
    expect(await page.getByRole('checkbox').count()).toBe(0);
    await page.setViewportSize({ width: 360, height: 800 });
    const root = 'document.documentElement';
    expect(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`)).toBe(0);
  });

  it('says how a device appears where authentication is off, and it does', async () => {
    const program = await aProgram('serve');
    await program.graphql(CREATE_MODEL, { input: { code: 'pump', name: 'Pump' } });
    const page = await aBrowserPage(program.url, { path: '/enrolment' });
    await page.getByText('Live', { exact: true }).waitFor();

    const command = await page.locator('.notice pre').innerText();
    const [, address = ''] = /'(http[^']+)'/.exec(command) ?? [];
    expect(command).toContain('model=pump&device_serial=TEST-1');
    expect((await fetch(address, { method: 'POST' })).status).toBe(204);

    await rowOf(page, 'TEST-1').getByText('without a key').waitFor();
    await rowOf(page, 'TEST-1').getByText('1.0.0').waitFor();
  });

  it('teaches who has no model yet, and works by keyboard', async () => {
    const program = await aProgram('serve');
    const page = await aBrowserPage(program.url, { path: '/' });
    await page.getByText('Live', { exact: true }).waitFor();

    await page.keyboard.press('g');
    await page.keyboard.press('e');

    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    await program.graphql(CREATE_MODEL, { input: { code: 'pump', name: 'Pump' } });
    await page.getByRole('button', { name: 'New ingest key' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Name').fill('by hand');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Ingest key made' }).waitFor();
    await page.keyboard.press('Escape');
    await rowOf(page, 'by hand').waitFor();
  });
});
