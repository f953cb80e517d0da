import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { aProgram, type Program } from '../support/program.js';
import { aReceiver } from '../support/receiver.js';

const THEMES = ['light', 'dark'] as const;
/** Some twenty pages, each gone through by axe, on a machine where other tests run. */
const MANY_PAGES_MS = 600_000;

describe.skipIf(!hasChromium)(`every page${NEEDS_CHROMIUM}`, () => {
  it.each(THEMES)(
    'is accessible by axe’s rules in the %s theme, and nothing is cut off at 390 pixels',
    async (colorScheme) => {
      const program = await aProgramWithDevice({ environment: { ALERTS_ALLOW_PRIVATE: 'true' } });
      const pages = await pagesOf(program);

      const page = await aBrowserPage(program.url, { colorScheme, viewport: { width: 390, height: 844 } });
      const complaints: string[] = [];
      for (const [path, whenThere] of pages) {
        await page.goto(path);
        await page.getByText(whenThere).first().waitFor();

        complaints.push(...(await complaintsOfAxe(page)).map((complaint) => `${path}: ${complaint}`));
        const pixels = await overflow(page);
        if (pixels > 0) complaints.push(`${path}: ${pixels} pixels more than the 390 of the window`);
      }
      expect(complaints).toEqual([]);
    },
    MANY_PAGES_MS,
  );

  it('is accessible by axe’s rules before anybody has signed in', async () => {
    const closed = await aProgram('serve', { environment: { VIEWER_TOKENS: `sha256:${'0'.repeat(64)}` } });
    const signIn = await aBrowserPage(closed.url);
    await signIn.getByLabel('Token of a viewer or admin').waitFor();
    expect(await complaintsOfAxe(signIn)).toEqual([]);
  });

  it.each([
    ['/devices', 'New device', 'Model'],
    ['/enrolment', 'New ingest key', 'New devices per hour'],
    ['/enrolment', 'Import CSV', 'File'],
    ['/firmware/thermostat', 'Change', 'are removed as soon as they are parsed'],
    ['/alerts', 'New alert', 'Model'],
  ])('is accessible by axe’s rules in its dialogs: %s, %s', async (path, button, field) => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path });

    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByRole('dialog').getByLabel(field).waitFor();

    expect(await complaintsOfAxe(page)).toEqual([]);
  });

  it('can be used by keyboard: j and k, Enter, Escape, the places by g, the keys by ?', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/' });
    const path = () => new URL(page.url()).pathname;
    await page.getByRole('row').nth(2).waitFor();

    await page.keyboard.press('g');
    // Who types slowly.
    await page.waitForTimeout(1_500);
    await page.keyboard.press('d');
    await expect.poll(path).toBe('/dumps');
    await page.getByRole('row').nth(2).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /abort\(\) was called/ }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(path).toBe('/dumps');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  it('keeps the theme that was chosen', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url, { colorScheme: 'light' });
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await background();

    await page.getByRole('button', { name: /^Theme: system/ }).click();
    await page.getByRole('button', { name: /^Theme: light/ }).click();
    await page.reload();

    await page.getByRole('button', { name: /^Theme: dark/ }).waitFor();
    expect(await background()).not.toBe(light);
  });
});

/** Addresses of all pages, each with a text that is there when it has loaded. */
async function pagesOf(program: Program): Promise<[path: string, whenThere: string][]> {
  const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'stack-overflow');
  const { crashGroups } = await program.graphql<{ crashGroups: { nodes: { id: string }[] } }>(
    '{ crashGroups(first: 1) { nodes { id } } }',
  );
  await aWaitingDevice(program);
  const groupId = crashGroups.nodes[0]?.id ?? '';
  return [
    ['/', 'Latest dumps'],
    ['/groups', '1 group'],
    [`/groups/${encodeURIComponent(groupId)}`, 'Seen on'],
    ['/tags', 'No tag yet'],
    ['/groups?state=ignored', 'No crash group matches'],
    ['/devices', '2 devices'],
    ['/devices/dev1', 'About this device'],
    ['/decode', 'Decode a crash'],
    ['/enrolment', 'Line 2'],
    ['/enrolment?show=waiting', 'TEST-1'],
    ['/enrolment?show=rejected', 'No device was rejected'],
    ['/firmware', '1 model'],
    ['/firmware/thermostat', '1 build'],
    ['/release/thermostat/1.0.0', 'Not known'],
    ['/dumps', '1 dump'],
    [`/dumps/${encodeURIComponent(coredumpId)}`, 'Crashed task'],
    ['/dumps?q=nothing', 'No dump matches'],
    ['/search?q=overflow', 'Crash groups'],
    ['/search?q=nothing', 'Nothing matches'],
    ['/alerts', '1 alert'],
    [`/alerts/${encodeURIComponent(await anAlert(program))}`, 'Delivered'],
    ['/alerts?model=pump', 'No alert yet'],
    ['/audit', 'testAlertRule'],
    ['/audit?actor=nobody', 'No event matches'],
    [`/shared#${await aShareLink(program, coredumpId)}`, 'Crashed task'],
    ['/nowhere', 'This page does not exist'],
  ];
}

/** The token of one. */
async function aShareLink(program: Program, coredumpId: string): Promise<string> {
  const { createShareLink } = await program.graphql<{ createShareLink: { token: string } }>(
    'mutation ($coredumpId: ID!) { createShareLink(input: { coredumpId: $coredumpId }) { token } }',
    { coredumpId },
  );
  return createShareLink.token;
}

/** Registered by an ingest key that requires approval. */
async function aWaitingDevice(program: Program): Promise<void> {
  const { createIngestKey } = await program.graphql<{ createIngestKey: { key: string } }>(
    'mutation ($input: CreateIngestKeyInput!) { createIngestKey(input: $input) { key } }',
    { input: { modelCode: 'thermostat', name: 'Line 2', requiresApproval: true } },
  );
  await fetch(`${program.url}/api/iot/boot?device_serial=TEST-1&firmware_version=1.0.0`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${createIngestKey.key}` },
  });
}

/** Of the one model, tested once, on an address that takes it. */
async function anAlert(program: Program): Promise<string> {
  const { url } = await aReceiver();
  const { createAlertRule } = await program.graphql<{ createAlertRule: { alertRule: { id: string } } }>(
    'mutation ($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { alertRule { id } } }',
    { input: { name: 'team', url, format: 'GENERIC', modelCode: 'thermostat', spikeCount: 20 } },
  );
  const { id } = createAlertRule.alertRule;
  await program.graphql(
    'mutation ($id: ID!) { testAlertRule(input: { id: $id }) { alertDelivery { id } } }',
    { id },
  );
  return id;
}

async function overflow(page: Page): Promise<number> {
  const root = 'document.documentElement';
  return Number(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`));
}
