import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aDevice } from '../support/app.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash, readCrash } from '../support/crashed-program.js';
import { uploadFirmware } from '../support/firmware.js';
import { fixture } from '../support/fixtures.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';
import { aProgram } from '../support/program.js';
import { asAdmin, isRefusal, signInWith } from '../support/sign-in.js';

describe.skipIf(!hasChromium)(`the page’s overview and list of dumps${NEEDS_CHROMIUM}`, () => {
  it('teaches on an empty server how a dump gets there, by a command that works as it stands', async () => {
    const program = await aProgram('serve');
    const { key } = await aDevice(program as never);
    const page = await aBrowserPage(program.url);

    expect(await firmwareConfig(page)).toContain(
      `CONFIG_COREDOCK_URL="${program.url}"\nCONFIG_COREDOCK_MODEL="thermostat"\n`,
    );
    expect(await runShown(page)).toContain('"status":"ok"');
    await page.goto(`/devices/${key}`);
    expect(await runShown(page)).toContain('"status":"ok"');
    await page.getByRole('row').filter({ hasText: 'Pending' }).waitFor();
  });

  it('teaches with the credentials that a closed server wants', async () => {
    const program = await aProgram('serve', { environment: STATIC_TOKENS });
    await asAdmin(
      program,
      'mutation { createDeviceModel(input: { code: "thermostat", name: "T" }) { clientMutationId } }',
    );
    const { createIngestKey, createDevice } = await asAdmin<{
      createIngestKey: { key: string };
      createDevice: { token: string; device: { key: string } };
    }>(
      program,
      `mutation { createIngestKey(input: { modelCode: "thermostat", name: "Line" }) { key }
        createDevice(input: { modelCode: "thermostat" }) { token device { key } } }`,
    );
    const page = await aBrowserPage(program.url, { tolerates: isRefusal });
    await signInWith(page, ADMIN);

    expect(await firmwareConfig(page)).toContain('\nCONFIG_COREDOCK_INGEST_KEY="cdk_…"\n');
    expect(await runShown(page, 'cdk_…', createIngestKey.key)).toContain('"status":"ok"');
    await page.goto(`/devices/${createDevice.device.key}`);
    expect(await firmwareConfig(page)).toContain('\nCONFIG_COREDOCK_DEVICE_TOKEN="…"\n');
    expect(await runShown(page, '…', createDevice.token)).toContain('"status":"ok"');
  });

  it('shows a dump that arrives and turns from waiting to parsed, without a reload', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url);
    await page.getByText('Live', { exact: true }).waitFor();

    await crash(program, 'thermostat-1.0.0', 'null-pointer');

    await page.getByRole('row').filter({ hasText: 'Waiting for build' }).waitFor();
    // The firmware arrives, and the dump is read again by itself.
    await uploadFirmware(program, { elf: await readFile(fixture('thermostat-1.0.0').elfPath) });
    const row = page.getByRole('row').filter({ hasText: 'NULL pointer plus offset 0xc' });
    await row.filter({ hasText: 'sensor_convert at sensor.c:18' }).waitFor();
    await page.getByText('Waiting for build', { exact: true }).nth(1).waitFor({ state: 'detached' });
  });

  it('shows a dump as pending while nobody can read it, and says why', async () => {
    const program = await aProgram('serve');
    await aDevice(program as never);
    const page = await aBrowserPage(program.url);
    await page.getByText('No parser responds').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    await crash(program, 'thermostat-1.0.0', 'null-pointer');

    await page.getByRole('row').filter({ hasText: 'Waiting to be read' }).getByText('Pending').waitFor();
  });

  it('connects again by itself, and reads what it has missed', async () => {
    const program = await aProgramWithDevice();
    const { port } = new URL(program.url);
    const page = await aBrowserPage(program.url, { path: '/dumps', tolerates: isLostConnection });
    await page.getByText('Live', { exact: true }).waitFor();
    // By its event, from which the page continues.
    await crash(program, 'thermostat-1.0.0', 'assert');
    await page.getByRole('row').filter({ hasText: 'packet_append' }).waitFor();
    const continuedAt = sinceOfSubscriptions(page);

    await program.stop('SIGKILL');
    await page.getByText('Reconnecting').waitFor();
    const again = await aProgram('start', { dir: program.dir, environment: { PORT: port } });
    await readCrash(again, 'thermostat-1.0.0', 'abort');

    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: '1 new' }).click();
    await page.getByRole('row').filter({ hasText: 'network_handle_reply' }).waitFor();
    expect(continuedAt).not.toHaveLength(0);
    expect(continuedAt).not.toContain(null);
  });

  it('reads what events were about that were answered with errors, and goes on listening once', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/dumps' });
    const socket = await aFailingSocket(page);
    // Routes are for the connections of a page that is loaded after them.
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await page.getByRole('row').filter({ hasText: 'network_handle_reply' }).waitFor();

    // Longer than the page waits after an error, and before it reads the list once more for the events so far.
    await page.waitForTimeout(3_000);
    expect(socket.subscribed).toBe(1);
    socket.isFailing = true;
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    // The dump's arrival, its end, and its group.
    await expect.poll(() => socket.failed).toBe(3);
    socket.isFailing = false;

    await page.getByRole('button', { name: '1 new' }).click();
    await page.getByRole('row').filter({ hasText: 'packet_append' }).waitFor();
    await expect.poll(() => socket.subscribed).toBe(2);
    expect(socket.open.size).toBe(1);
  });

  it('marks a row that is deleted in another window, and loses it when asked', async () => {
    const program = await aProgramWithDevice();
    const { coredumpId } = await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/dumps' });
    const device = await aBrowserPage(program.url, { path: '/devices/dev1' });
    for (const each of [page, device]) {
      await each.getByText('Live', { exact: true }).waitFor();
      await each.getByRole('row').filter({ hasText: 'network_handle_reply' }).waitFor();
    }

    await program.graphql(
      'mutation ($id: ID!) { deleteCoredump(input: { id: $id }) { deletedCoredumpId } }',
      { id: coredumpId },
    );

    const deleted = page.getByRole('row').filter({ hasText: 'network_handle_reply' });
    await page.locator('tr[data-gone="true"]').filter({ hasText: 'Deleted' }).waitFor();
    await page.getByRole('button', { name: '1 gone' }).click();
    await deleted.waitFor({ state: 'detached' });
    await device.getByRole('row').filter({ hasText: 'network_handle_reply' }).waitFor({ state: 'detached' });
    for (const each of [page, device])
      await each.getByRole('row').filter({ hasText: 'packet_append' }).waitFor();
  });

  it('narrows the list by what is chosen, in an address that can be passed on', async () => {
    const program = await aProgramWithDevice();
    await readCrash(program, 'thermostat-1.0.0', 'abort');
    await readCrash(program, 'thermostat-1.0.0', 'assert');
    const page = await aBrowserPage(program.url, { path: '/dumps' });
    await page.getByText('2 dumps').waitFor();

    await page.getByLabel('Words').fill('packet_append');
    await page.keyboard.press('Enter');
    await page.getByText('1 dump', { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('?q=packet_append');

    await page.getByLabel('Status').selectOption('Error');
    await page.getByText('No dump matches').waitFor();
    await page.reload();
    await page.getByText('No dump matches').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('2 dumps').waitFor();
  });
});

/** The page's connection to the server, on which events can be answered by errors: as if no row could be read. */
async function aFailingSocket(page: Page) {
  const failing = { isFailing: false, failed: 0, subscribed: 0, open: new Set<string>() };
  await page.routeWebSocket('**/graphql', (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { type, id } = JSON.parse(String(text));
      if (type === 'subscribe') {
        failing.subscribed += 1;
        failing.open.add(id);
      }
      if (type === 'complete') failing.open.delete(id);
      server.send(text);
    });
    server.onMessage((text) => {
      const message = JSON.parse(String(text));
      const isEvent = message.type === 'next' && message.payload.data?.crashEvents?.subjectId != null;
      if (!failing.isFailing || !isEvent) {
        socket.send(text);
        return;
      }
      failing.failed += 1;
      socket.send(JSON.stringify({ ...message, payload: { errors: [{ message: 'not now' }], data: null } }));
    });
  });
  return failing;
}

/** Where the page's subscriptions begin, from now on; null: at the present. */
function sinceOfSubscriptions(page: Page): Array<string | null> {
  const found: Array<string | null> = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const message = JSON.parse(String(payload));
      if (message.type === 'subscribe') found.push(message.payload.variables.since ?? null);
    }),
  );
  return found;
}

/** What Chromium itself writes to the console while there is no server. */
function isLostConnection(complaint: string): boolean {
  return /ERR_CONNECTION|WebSocket connection|ERR_EMPTY_RESPONSE/.test(complaint);
}

/** The guide's settings for the firmware. */
const firmwareConfig = (page: Page) => page.getByText('CONFIG_COREDOCK_URL=').innerText();

/** Types what the guide says, with a real dump, and the secret where it has a gap. @returns the server's answer */
async function runShown(page: Page, gap = '', secret = ''): Promise<string> {
  await page.getByRole('heading', { name: 'No dump has arrived yet' }).waitFor();
  const command = await page.getByText('--data-binary @coredump.bin').innerText();
  const dump = fixture('thermostat-1.0.0').dump('abort');
  return execFileSync('sh', ['-c', `${command.replace('coredump.bin', dump).replace(gap, secret)} -sS`], {
    encoding: 'utf8',
  });
}
