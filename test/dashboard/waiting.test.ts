import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { stored } from '../support/app.js';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { aFirmwareElf, uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import type { Program } from '../support/program.js';

const OWN = fixture('thermostat-1.0.0').elfPath;
/** The light theme's color of what needs somebody; errors are red. */
const AMBER = 'rgb(131, 84, 0)';
const OTHER = fixture('thermostat-1.1.0').elfPath;

describe.skipIf(!hasChromium)(`a dump that waits for its build, on the page${NEEDS_CHROMIUM}`, () => {
  it('is no error in lists and counts', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url);

    await page
      .getByRole('list', { name: 'Counts' })
      .getByRole('link', { name: '1 Waiting for build' })
      .click();
    const row = page.getByRole('row').filter({ hasText: 'Waiting for build' });
    await row.waitFor();
    expect(await row.innerText()).toContain('abort() was called');
    expect(await colorOf(page, '.status[data-status="WAITING"]')).toBe(AMBER);
    await page.getByLabel('Status').selectOption('Error');
    await page.getByText('No dump matches').waitFor();
  });

  it('shows what it tells and what it waits for, and is read once the build is there', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');

    const page = await aBrowserPage(program.url, { path: addressOf(coredumpId) });
    await page.getByRole('heading', { level: 1, name: /abort\(\) was called/ }).waitFor();
    const waiting = page.getByRole('region', { name: 'Waiting' });
    expect(await waiting.innerText()).toMatch(
      /Waiting for build 1\.0\.0 of thermostat for esp32c3, ELF ba5e81ec3/,
    );
    await page.getByRole('region', { name: /^Crashed task/ }).waitFor();
    await page.getByRole('row', { name: /^pc 0x/ }).waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);

    await waiting.getByRole('link', { name: 'Upload that build' }).click();
    await page.getByLabel('Upload a build').setInputFiles(OWN);
    await page.getByText('is version 1.0.0').waitFor();
    await expect.poll(() => statusOf(program, coredumpId), { timeout: 60_000 }).toBe('PARSED');
    await page.goto(addressOf(coredumpId));
    await page.getByText('network_handle_reply').first().waitFor();
    expect(await waiting.count()).toBe(0);
    expect(await page.getByText('Waiting for build').count()).toBe(0);
  });

  it('is read with another build that an admin chooses, and waits again when that is undone', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    await uploadFirmware(program, { elf: await readFile(OTHER) });
    const page = await aBrowserPage(program.url, { path: addressOf(coredumpId) });

    await page.getByRole('button', { name: 'Read with another build…' }).click();
    await page.getByRole('radio', { name: /1\.1\.0/ }).check();
    expect(await complaintsOfAxe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Read with this build' }).click();

    await page.getByText('Read with the build 1.1.0 that a person chose').waitFor();
    await page.getByText('is another build').waitFor();
    await page.getByText('BUILD_CHOSEN').waitFor();
    await page.getByRole('button', { name: 'Parse again with its own build' }).click();
    await page.getByRole('region', { name: 'Waiting' }).waitFor();
    expect(await page.getByText('that a person chose').count()).toBe(0);
  });
});

describe.skipIf(!hasChromium)(`what the page of a dump unfolds${NEEDS_CHROMIUM}`, () => {
  it('are the registers of every task, the memory, and a core for GDB', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'null-pointer');
    const page = await aBrowserPage(program.url, { path: addressOf(coredumpId) });

    const others = page.getByRole('region', { name: /other tasks$/ });
    await others.getByText('IDLE', { exact: true }).first().click();
    await others.getByText('Registers').first().click();
    await others.getByRole('row', { name: /^sp 0x/ }).waitFor();
    await page.getByRole('heading', { name: 'Memory' }).click();
    const memory = page.getByRole('region', { name: 'Memory regions' });
    await memory.getByRole('row').filter({ hasText: '.flash.text' }).waitFor();
    expect(await page.getByRole('link', { name: 'ELF core for GDB' }).getAttribute('href')).toBe(
      `/api/coredumps/${encodeURIComponent(coredumpId)}/core.elf`,
    );
    await page.getByText('mcause 5').waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);
  });
});

describe.skipIf(!hasChromium)(`how a dump arrived, on its page${NEEDS_CHROMIUM}`, () => {
  it('is said of one that came as text, and what is no dump offers no core', async () => {
    const program = await aProgramWithDevice();
    const dump = await readFile(fixture('thermostat-1.0.0').dump('abort'));
    const asText = await stored(program, dump.toString('base64'), { version: '1.0.0' });
    const noDump = await stored(program, 'hello', { version: '1.0.0' });
    await expect.poll(() => statusOf(program, asText.coredumpId)).toBe('PARSED');
    await expect.poll(() => statusOf(program, noDump.coredumpId)).toBe('ERROR');

    const page = await aBrowserPage(program.url, { path: addressOf(asText.coredumpId) });
    await page.getByText('base64 text').waitFor();
    await page.getByRole('link', { name: 'ELF core for GDB' }).waitFor();
    await page.goto(addressOf(noDump.coredumpId));
    await page.getByRole('link', { name: 'Download' }).waitFor();
    expect(await page.getByRole('link', { name: 'ELF core for GDB' }).count()).toBe(0);
  });
});

describe.skipIf(!hasChromium)(`the builds of a model, on the page${NEEDS_CHROMIUM}`, () => {
  it('say what their ELF lacks, at the upload and later', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });

    await page.getByLabel('Upload a build').setInputFiles({
      name: 'stripped.elf',
      mimeType: 'application/octet-stream',
      buffer: aFirmwareElf({ version: '3.0.0' }),
    });

    await page.locator('.uploads').getByText('is stripped').waitFor();
    await page.getByRole('row').filter({ hasText: '3.0.0' }).getByText('is stripped').waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);
  });

  it('take a version that is not that of the ELF only when told so, and show both', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });

    await page.getByLabel('Version', { exact: true }).fill('beta-7');
    await page.getByLabel('Upload a build').setInputFiles(OWN);
    await page.getByRole('alert').getByText('The versions disagree').waitFor();
    await page.getByLabel('may differ from the ELF’s own').check();
    await page.getByLabel('Upload a build').setInputFiles(OWN);

    await page.getByText('is version beta-7').waitFor();
    await page.getByRole('row').filter({ hasText: 'beta-7' }).getByText('The ELF says 1.0.0').waitFor();
  });
});

function addressOf(id: string): string {
  return `/dumps/${encodeURIComponent(id)}`;
}

async function statusOf(program: Program, id: string): Promise<string> {
  const { coredump } = await program.graphql<{ coredump: { parseStatus: string } }>(
    'query ($id: ID!) { coredump(id: $id) { parseStatus } }',
    { id },
  );
  return coredump.parseStatus;
}

async function colorOf(page: Page, selector: string): Promise<unknown> {
  return page.evaluate(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).color`);
}
