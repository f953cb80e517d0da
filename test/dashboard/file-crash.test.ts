import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openDump, printPanic } from '../crashdump/panic-texts.js';
import { aDevice } from '../support/app.js';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice } from '../support/crashed-program.js';
import { type CrashOf, fixture } from '../support/fixtures.js';
import { dropOnPage, pasteOnPage } from '../support/give-to-page.js';
import { STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram } from '../support/program.js';
import { asAdmin, signInWith } from '../support/sign-in.js';

describe.skipIf(!hasChromium)(`a crash that somebody has at hand${NEEDS_CHROMIUM}`, () => {
  it('is read with the builds of the server only when asked to, and nothing of it is stored', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/decode' });
    const posted = postsOf(page);

    await dropOnPage(page, [await dump('assert')]);
    await page.getByText('Read in this browser; nothing was sent.').waitFor();
    expect(await frame(page, 'packet_append').count()).toBe(0);
    expect(posted()).toEqual([]);
    await page.getByRole('button', { name: 'Read with the server’s builds' }).click();

    await frame(page, 'packet_append').waitFor();
    await page.getByText('Read by this server, with its build 1.0.0 of thermostat.').waitFor();
    expect(await page.getByText('nothing was sent').count()).toBe(0);
    const { coredumps } = await program.graphql<{ coredumps: { totalCount: number } }>(
      '{ coredumps { totalCount } }',
    );
    expect(coredumps.totalCount).toBe(0);
  });

  it('is read with the build that a person chooses', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/decode' });

    await dropOnPage(page, [await dump('assert')]);
    await page.getByText('For a crash that does not name its build').click();
    await page.getByRole('combobox', { name: 'Model' }).selectOption('thermostat');
    await page.getByRole('radio', { name: /1\.0\.0/ }).check();
    expect(await complaintsOfAxe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Read with the server’s builds' }).click();

    await page.getByText('with its build 1.0.0 of thermostat.').waitFor();
  });

  it('is filed under a device that is here, and its link leads to it', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/decode' });
    await dropOnPage(page, [await dump('assert'), await elf()]);

    await page.getByRole('button', { name: 'File it under a device…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: 'dev1' }).check();
    expect(await dialog.getByLabel('Version').inputValue()).toBe('1.0.0');
    expect(await dialog.getByLabel('Chip').inputValue()).toBe('esp32c3');
    expect(await complaintsOfAxe(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'File it', exact: true }).click();
    await dialog.getByText('The crash is stored for dev1.').waitFor();
    await dialog.getByRole('link', { name: 'Open it' }).click();

    await page.getByRole('heading', { level: 1, name: /assert failed: packet_append/ }).waitFor();
    await page.getByRole('link', { name: 'dev1' }).first().waitFor();
  });

  it('is filed by model and serial, which registers the device', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/decode' });
    await dropOnPage(page, [await dump('abort'), await elf()]);

    await page.getByRole('button', { name: 'File it under a device…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: /By model and serial/ }).check();
    await dialog.getByRole('combobox', { name: 'Model' }).selectOption('thermostat');
    await dialog.getByLabel('Serial', { exact: true }).fill('SN-7');
    await dialog.getByRole('button', { name: 'File it', exact: true }).click();
    await dialog.getByRole('link', { name: 'Open it' }).click();

    await page.getByRole('heading', { level: 1, name: /abort\(\) was called/ }).waitFor();
    const { devices } = await program.graphql<{ devices: { nodes: { serial: string | null }[] } }>(
      '{ devices { nodes { serial } } }',
    );
    expect(devices.nodes.map(({ serial }) => serial)).toContain('SN-7');
  });

  it('shows as the panic text that it is: on its page, in the list, and to the filter by kind', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/decode' });
    await pasteOnPage(page, printPanic(openDump((await dump('null-pointer')).bytes), 'Load access fault'));
    await page.getByRole('button', { name: 'File it under a device…' }).click();
    await page.getByRole('radio', { name: 'dev1' }).check();
    await page.getByRole('button', { name: 'File it', exact: true }).click();
    await page.getByRole('link', { name: 'Open it' }).click();

    await page.getByRole('heading', { level: 1, name: 'Load access fault at 0x0000000c' }).waitFor();
    await frame(page, 'sensor_read').waitFor();
    await page.getByRole('heading', { name: 'Panic text' }).waitFor();
    expect(await page.getByRole('link', { name: 'ELF core for GDB' }).count()).toBe(0);
    expect(await page.getByRole('heading', { name: /other task/ }).count()).toBe(0);
    expect(await page.getByRole('complementary').getByText('checksum').count()).toBe(0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download the text' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.txt$/);
    await page.goto('/dumps?source=CORE_DUMP');
    await page.getByRole('heading', { name: 'No dump matches' }).waitFor();
    await page.getByLabel('Kind').selectOption('Panic text');
    await page.getByRole('row').filter({ hasText: 'sensor_convert' }).getByText('Panic text').waitFor();
  });

  it('is read for viewers too, who see why they cannot file it', async () => {
    const program = await aProgram('start', { environment: STATIC_TOKENS });
    await aDevice({ graphql: (query, variables) => asAdmin(program, query, variables) });
    const page = await aBrowserPage(program.url, { path: '/decode' });
    await signInWith(page, VIEWER);

    await dropOnPage(page, [await dump('assert'), await elf()]);

    await frame(page, 'packet_append').waitFor();
    await page
      .getByText('To file it under a device is for admins: you have signed in as a viewer.')
      .waitFor();
    expect(await page.getByRole('button', { name: 'File it under a device…' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Remove thermostat-1.0.0.elf' }).click();
    await page.getByRole('button', { name: 'Read with the server’s builds' }).click();
    await page.getByText('Read by this server, which found no build for it.').waitFor();
  });
});

async function elf() {
  return { name: 'thermostat-1.0.0.elf', bytes: await readFile(fixture('thermostat-1.0.0').elfPath) };
}

async function dump(how: CrashOf<'thermostat-1.0.0'>) {
  return { name: `${how}.dmp`, bytes: await readFile(fixture('thermostat-1.0.0').dump(how)) };
}

function frame(page: Page, name: string) {
  return page
    .getByRole('region', { name: /^(Crashed task|Backtrace)/ })
    .locator('.frame-function')
    .getByText(name, { exact: true });
}

/** What the page has sent to the API since. */
function postsOf(page: Page): () => string[] {
  const posts: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') posts.push(request.url());
  });
  return () => posts;
}
