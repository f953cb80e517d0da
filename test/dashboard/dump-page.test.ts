import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aDevice, bearer, eventually, stored } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, readCrash } from '../support/crashed-program.js';
import { fixture } from '../support/fixtures.js';
import { ADMIN, STATIC_TOKENS, VIEWER } from '../support/people.js';
import { aProgram } from '../support/program.js';
import { asAdmin, isRefusal, signInWith } from '../support/sign-in.js';

describe.skipIf(!hasChromium)(`the page of a dump${NEEDS_CHROMIUM}`, () => {
  it('says why and where it crashed, with the other tasks folded and the registers annotated', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'assert');

    const page = await aBrowserPage(program.url, { path: addressOf(coredumpId) });

    await page.getByRole('heading', { level: 1, name: /assert failed: packet_append/ }).waitFor();
    await page.getByText('An assertion did not hold in packet_append at network.c:21').waitFor();
    const crashed = page.getByRole('region', { name: 'Crashed task network' });
    const frames = await crashed.getByRole('listitem').allInnerTexts();
    expect(frames).toHaveLength(7);
    const [append = '', send = ''] = frames.slice(3);
    expect(append).toContain('packet_append(packet=0x3fc8db88 <s_packet>, length=8,');
    expect(append).toContain('/firmware/main/network.c:21');
    expect(append).toContain('inlined');
    expect(send).toContain('network_send');
    const sensor = page
      .getByRole('region', { name: '3 other tasks' })
      .getByRole('group')
      .filter({ hasText: 'sensor' });
    expect(await sensor.getByText('vTaskDelay').isVisible()).toBe(false);
    await sensor.getByText('sensor', { exact: true }).click();
    await sensor.getByText('vTaskDelay').waitFor();
    await page.getByRole('row', { name: 'pc 0x420012b0 panic_abort+8' }).waitFor();
  });

  it('gives the raw bytes and the raw text', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId, filename } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: addressOf(coredumpId) });

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(filename);
    const bytes = await buffer(await download.createReadStream());
    expect(bytes.equals(await readFile(fixture('thermostat-1.0.0').dump('abort')))).toBe(true);

    await page.getByText('Raw text').click();
    expect(await page.getByLabel('Parsed output').innerText()).toContain('ESP32 CORE DUMP START');
  });

  it('reads a dump again when asked to, and shows the new state by itself', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: addressOf(coredumpId) });
    const readBefore = await readMoment(program, coredumpId);

    await page.getByRole('button', { name: 'Parse again' }).click();

    await expect.poll(() => readMoment(program, coredumpId)).not.toBe(readBefore);
    await page.locator(`time[datetime="${await readMoment(program, coredumpId)}"]`).waitFor();
    expect(await page.getByText('Pending', { exact: true }).count()).toBe(0);
  });

  it('deletes a dump only after one could have taken it back', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: addressOf(coredumpId) });
    const row = page.getByRole('row').filter({ hasText: 'network_handle_reply' });

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText(/is deleted/).waitFor();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/dumps');
    expect(await row.count()).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.click();
    await page.getByRole('button', { name: 'Delete' }).click();

    await expect.poll(() => exists(program, coredumpId), { timeout: 30_000 }).toBe(false);
    await page.getByRole('heading', { name: 'No dump has arrived yet' }).waitFor();
  });

  it('shows hostile text as text: neither markup nor escape sequences do anything', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const hostile =
      '<script>window.isBroken = true</script><img src=x onerror="window.isBroken = true">\u001b[31mred';
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url);
    // The answer as a hostile sidecar could have made it.
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      const text = await response.text();
      const output = JSON.stringify(hostile);
      await route.fulfill({
        response,
        body: text.replace(/"parsedOutput":"(?:[^"\\]|\\.)*"/, `"parsedOutput":${output}`),
      });
    });

    await page.goto(addressOf(coredumpId));

    const shown = await page.getByLabel('Parsed output').innerText();
    expect(shown).toContain('<script>window.isBroken = true</script>');
    expect(shown).toContain('␛[31mred');
    expect(await page.evaluate('window.isBroken')).toBeUndefined();
  });

  it('shows what the device says: all of it to admins, and no text of its memory to viewers', async () => {
    const program = await aProgram('start', { environment: STATIC_TOKENS });
    const { token } = await aDevice({ graphql: (query, variables) => asAdmin(program, query, variables) });
    const dump = await readFile(new URL('../fixtures/device/null-pointer.dmp', import.meta.url));
    const { coredumpId } = await stored(program, dump, { headers: bearer(token) });
    await eventually(async () => {
      const { coredump } = await asAdmin<{ coredump: { parseStatus: string } }>(
        program,
        'query ($id: ID!) { coredump(id: $id) { parseStatus } }',
        { id: coredumpId },
      );
      return coredump.parseStatus !== 'PENDING';
    }, 'the parse');
    const cardFor = async (who: string) => {
      const page = await aBrowserPage(program.url, { path: addressOf(coredumpId), tolerates: isRefusal });
      await signInWith(page, who);
      const card = page.getByRole('region', { name: 'What the device says' });
      await card.waitFor();
      return { page, card };
    };
    const factsOf = async (card: Locator) =>
      (await card.locator('dl > div').allInnerTexts()).map((fact) => fact.replaceAll(/\s+/g, ' '));

    const admin = await cardFor(ADMIN);
    const viewer = await cardFor(VIEWER);

    expect(await factsOf(admin.card)).toEqual([
      ...['Serial 7cdfa1e5d3c8', 'Firmware thermostat 1.0.0'],
      'Boot 3 since power was applied, started by poweron',
      ...['wifi_rssi -61', 'battery_v 3.71', 'round 40', 'state reading'],
    ]);
    const lines = (await admin.card.getByLabel('Last log lines').innerText()).split('\n');
    expect(lines).toHaveLength(19);
    expect(lines.at(-1)).toBe('W (140) sensor: floor does not answer');
    expect(await factsOf(viewer.card)).toEqual([
      ...['Serial 7cdfa1e5d3c8', 'Firmware thermostat 1.0.0'],
      'Boot 3 since power was applied, started by poweron',
      ...['wifi_rssi -61', 'battery_v 3.71', 'round 40', 'state <redacted>'],
    ]);
    expect(await viewer.card.getByLabel('Last log lines').innerText()).toBe(
      '<redacted>: the log is for admins',
    );
    // Nor anywhere else on the page, its raw text and what is folded included.
    expect(await admin.page.content()).toContain('floor does not answer');
    expect(await viewer.page.content()).not.toContain('floor does not answer');
  });

  it('says of a dump that does not exist that there is none', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });

    const page = await aBrowserPage(program.url, { path: addressOf('Q29yZWR1bXA6OTk5') });

    await page.getByText('This page does not exist').waitFor();
  });
});

function addressOf(id: string): string {
  return `/dumps/${encodeURIComponent(id)}`;
}

type AskedProgram = Awaited<ReturnType<typeof aProgramWithDevice>>;

async function readMoment(program: AskedProgram, id: string): Promise<string | null> {
  const { coredump } = await program.graphql<{ coredump: { parsedAt: string | null } }>(
    'query ($id: ID!) { coredump(id: $id) { parsedAt } }',
    { id },
  );
  return coredump.parsedAt;
}

async function exists(program: AskedProgram, id: string): Promise<boolean> {
  const { coredump } = await program.graphql<{ coredump: object | null }>(
    'query ($id: ID!) { coredump(id: $id) { id } }',
    { id },
  );
  return coredump !== null;
}
