import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { aProgramWithDevice, crash } from '../support/crashed-program.js';
import { fixture } from '../support/fixtures.js';
import { ADMIN, UPLOADER, WITH_UPLOADER } from '../support/people.js';
import { aProgram, CLI, NODE } from '../support/program.js';
import { asAdmin, isRefusal, signInWith } from '../support/sign-in.js';

const ELF = fixture('thermostat-1.0.0').elfPath;

describe.skipIf(!hasChromium)(`the pages of firmware${NEEDS_CHROMIUM}`, () => {
  it('create a model and teach how CI uploads to it', async () => {
    const { url } = await aProgram('serve');
    const page = await aBrowserPage(url, { path: '/firmware' });
    await page.getByRole('heading', { name: 'No model yet' }).waitFor();

    await page.getByRole('button', { name: 'New model' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Thermostat');
    await page.getByRole('textbox', { name: 'Code' }).fill('thermostat');
    await page.getByRole('button', { name: 'Create' }).click();

    await page.getByRole('heading', { level: 1, name: 'Thermostat' }).waitFor();
    expect(await runShown(page)).toMatch(/^thermostat 1\.0\.0 ba5e81ec32adfa27/);
  });

  it('teach it with the token that a closed server wants', async () => {
    const program = await aProgram('serve', { environment: WITH_UPLOADER });
    await asAdmin(
      program,
      'mutation { createDeviceModel(input: { code: "thermostat", name: "T" }) { clientMutationId } }',
    );
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat', tolerates: isRefusal });
    await signInWith(page, ADMIN);

    expect(await runShown(page, UPLOADER)).toMatch(/^thermostat 1\.0\.0 ba5e81ec32adfa27/);
  });

  it('take a build that was chosen; the dump that waited for it is read by itself', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    await crash(program, 'thermostat-1.0.0', 'abort');
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });

    await page.getByLabel('Upload a build').setInputFiles(ELF);

    await page.getByText('is version 1.0.0').waitFor();
    const row = page.getByRole('row').filter({ hasText: 'ba5e81ec32adfa27' });
    await row.getByRole('link', { name: '1', exact: true }).click();
    await page.getByRole('row').filter({ hasText: 'network_handle_reply' }).waitFor();
  });

  it('take a build that was dropped, and say of what is none why', async () => {
    const program = await aProgramWithDevice({ withFirmware: false });
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });
    const area = page.locator('.upload-area');
    await area.waitFor();

    await drop(page, { name: 'thermostat.elf', base64: (await readFile(ELF)).toString('base64') });
    await page.getByText('is version 1.0.0').waitFor();
    await drop(page, { name: 'notes.txt', base64: Buffer.from('no firmware').toString('base64') });

    await area.getByRole('alert').waitFor();
    expect(await area.getByRole('alert').innerText()).toMatch(/ELF|ZIP/);
  });

  it('delete a build when one is sure', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });

    await page.getByRole('button', { name: 'Delete 1.0.0' }).click();
    await page.getByRole('button', { name: 'Delete build' }).click();

    await page.getByRole('heading', { name: 'No build yet' }).waitFor();
  });

  it('rename a model', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });

    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Living room');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();

    await page.getByRole('heading', { level: 1, name: 'Living room' }).waitFor();
    await page.getByText('thermostat', { exact: true }).first().waitFor();
  });

  it('say why a model with devices is not deleted, and delete it when they are gone', async () => {
    const program = await aProgramWithDevice();
    const page = await aBrowserPage(program.url, { path: '/firmware/thermostat' });
    const deleteModel = async () => {
      await page.getByRole('button', { name: 'Delete model' }).click();
      await page.getByRole('button', { name: 'Delete for ever' }).click();
    };

    await deleteModel();
    await page.getByText('still has 1 device').waitFor();
    const { device } = await program.graphql<{ device: { id: string } }>('{ device(key: "dev1") { id } }');
    await program.graphql('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { deletedDeviceId } }', {
      id: device.id,
    });
    await deleteModel();

    await page.getByRole('heading', { name: 'No model yet' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/firmware');
  });
});

/** What the browser does when somebody lets go of a file over the page. */
async function drop(page: Awaited<ReturnType<typeof aBrowserPage>>, file: { name: string; base64: string }) {
  const transfer = await page.evaluateHandle(`(() => {
    const bytes = Uint8Array.from(atob(${JSON.stringify(file.base64)}), (character) => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], ${JSON.stringify(file.name)}));
    return transfer;
  })()`);
  await page.locator('.upload-area').dispatchEvent('drop', { dataTransfer: transfer });
}

/** Types what the page says that CI does, with a real build, and the token where it has a gap. */
async function runShown(page: Page, token = ''): Promise<string> {
  const command = await page.getByText('coredock firmware upload build/thermostat.elf').innerText();
  const script = command
    .replace('npx coredock', `'${NODE}' '${CLI}'`)
    .replace('build/thermostat.elf', `'${ELF}'`)
    .replace('TOKEN=…', `TOKEN=${token}`);
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' });
}
