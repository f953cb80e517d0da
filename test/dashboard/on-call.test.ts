import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/auth/static-tokens.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { fixture } from '../support/fixtures.js';
import { aFreePort } from '../support/http.js';
import { aProgram, type Program } from '../support/program.js';
import { aReceiver } from '../support/receiver.js';

const ADMIN = 'the-token-of-who-is-on-call';
const REPOSITORY = 'https://git.example.com/acme/thermostat';
/** The place of the crash: test/fixtures/firmware/src/thermostat. */
const PLACE = /network\.c line \d+ in the repository$/;

describe.skipIf(!hasChromium)(`who is on call${NEEDS_CHROMIUM}`, () => {
  it('comes from the alert to the line of code, resolves the crash, and is told when it comes back', async () => {
    const { url: hook, received } = await aReceiver();
    const port = String(await aFreePort());
    const program = await aProgram('start', {
      environment: {
        ADMIN_TOKENS: `sha256:${sha256(ADMIN)}`,
        ALERTS_ALLOW_PRIVATE: 'true',
        PORT: port,
        PUBLIC_URL: `http://127.0.0.1:${port}`,
      },
    });
    const ask = asAdmin(program);
    await ask(
      'mutation { createDeviceModel(input: { code: "thermostat", name: "Thermostat" }) { deviceModel { id } } }',
    );
    await ask(
      `mutation ($url: String!) { createAlertRule(input: { name: "on call", url: $url, format: GENERIC, onNew: true, onRegression: true }) { alertRule { id } } }`,
      { url: hook },
    );
    await ask(
      `mutation ($source: String!) { updateModelLinks(input: { modelCode: "thermostat", sourceUrl: $source, sourcePrefixes: ["/firmware/"] }) { deviceModel { id } } }`,
      { source: `${REPOSITORY}/blob/{revision}/{path}#L{line}` },
    );
    const { createDevice } = await ask<{ createDevice: { token: string } }>(
      'mutation { createDevice(input: { modelCode: "thermostat", key: "hall1" }) { token } }',
    );
    const crashOf = (version: '1.0.0' | '1.1.0') => crash(program, version, createDevice.token);
    await uploadBuild(program, '1.0.0', 'a94a8fe');
    await uploadBuild(program, '1.1.0', 'b1d5781');

    await crashOf('1.0.0');
    await expect.poll(() => received.length).toBe(1);
    const alert = JSON.parse(received[0]?.body ?? '') as { event: string; url: string };
    expect(alert.event).toBe('NEW');

    // The link of the alert, in a browser in which nobody has signed in yet.
    const page = await aBrowserPage(program.url, { path: new URL(alert.url).pathname });
    let loads = 0;
    page.on('load', () => {
      loads += 1;
    });
    expect(alert.url.startsWith(program.url)).toBe(true);
    await page.getByLabel('Token of a viewer or admin').fill(ADMIN);
    await page.keyboard.press('Enter');

    const line = page.getByRole('link', { name: PLACE }).first();
    await page.context().route(`${REPOSITORY}/**`, (route) => route.fulfill({ body: 'the line' }));
    const [source] = await Promise.all([page.context().waitForEvent('page'), line.click()]);
    expect(source.url()).toMatch(/\/blob\/a94a8fe\/.*network\.c#L\d+$/);
    await source.close();

    await page.getByRole('button', { name: 'Resolve', exact: true }).click();
    await page.getByLabel('Fixed in version').fill('1.1.0');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Reopen' }).waitFor();

    // A device that still runs the old version is no regression; one that runs the fixed version is.
    await crashOf('1.0.0');
    await page.locator('b', { hasText: '2 crashes' }).waitFor();
    expect(await page.getByRole('button', { name: 'Reopen' }).count()).toBe(1);
    await crashOf('1.1.0');

    await page.getByText('It was resolved and crashed again in version 1.1.0.').waitFor();
    await page.getByRole('button', { name: 'Resolve', exact: true }).waitFor();
    await expect.poll(() => received.length).toBe(2);
    expect(JSON.parse(received[1]?.body ?? '')).toMatchObject({
      event: 'REGRESSION',
      url: alert.url,
      crash: { version: '1.1.0', device: { key: 'hall1' } },
    });
    expect(loads).toBe(0);
  });
});

function asAdmin({ url }: Program) {
  return async <Data>(query: string, variables: object = {}): Promise<Data> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${ADMIN}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
    expect(errors).toBeUndefined();
    return data;
  };
}

/** As CI does it. */
async function uploadBuild({ url }: Program, version: '1.0.0' | '1.1.0', revision: string): Promise<void> {
  const form = new FormData();
  const query = `mutation ($bundle: Upload!, $version: String!, $revision: String!) {
    uploadFirmware(input: { modelCode: "thermostat", bundle: $bundle, version: $version, revision: $revision }) { firmware { id } }
  }`;
  form.set('operations', JSON.stringify({ query, variables: { bundle: null, version, revision } }));
  form.set('map', JSON.stringify({ bundle: ['variables.bundle'] }));
  const elf = await readFile(fixture(`thermostat-${version}`).elfPath);
  form.set('bundle', new Blob([new Uint8Array(elf)]), 'thermostat.elf');
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ADMIN}` },
    body: form,
  });
  expect(await response.json()).not.toHaveProperty('errors');
}

async function crash({ url }: Program, version: '1.0.0' | '1.1.0', token: string): Promise<void> {
  const body = new Uint8Array(await readFile(fixture(`thermostat-${version}`).dump('abort')));
  const { status } = await fetch(`${url}/api/iot/coredump?chip=esp32c3&firmware_version=${version}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Idempotency-Key': crypto.randomUUID() },
    body,
  });
  expect(status).toBe(201);
}
