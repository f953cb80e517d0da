/**
 * The second part of `npm run photograph`: makes `docs/enrolment-page.png`. Starts a server in an empty folder, has devices
 * report to it with an ingest key, and takes the picture of the page where they appear.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM, CHROMIUM_FLAGS } from '../support/browser-program.js';
import { ADMIN, STATIC_TOKENS } from '../support/people.js';

const CLI = fileURLToPath(new URL('../../dist/coredock.cjs', import.meta.url));
const PICTURE = fileURLToPath(new URL('../../docs/enrolment-page.png', import.meta.url));
const PLAIN_TEXT = ['--disable-lcd-text', '--force-color-profile=srgb'];

const port = await aFreePort();
const url = `http://127.0.0.1:${port}`;
const folder = await mkdtemp(join(tmpdir(), 'coredock-photograph-'));
const server = spawn(process.execPath, [CLI, 'serve'], {
  cwd: folder,
  env: { PATH: process.env.PATH, PORT: String(port), LOG_LEVEL: 'error', ...STATIC_TOKENS },
  stdio: ['ignore', 'inherit', 'inherit'],
});
const ended = once(server, 'exit');
try {
  await untilReady();
  await fill();
  await photograph();
} finally {
  server.kill();
  await ended;
  await rm(folder, { recursive: true, force: true });
}

async function aFreePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

async function untilReady(): Promise<void> {
  const isReady = async () => (await fetch(`${url}/healthz`).catch(() => null))?.ok === true;
  while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 100));
}

async function graphql(query: string, input: object): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const text = await response.text();
  if (text.includes('"errors"')) throw new Error(text);
  return text;
}

async function aKey(input: object): Promise<string> {
  const answer = await graphql(
    'mutation ($input: CreateIngestKeyInput!) { createIngestKey(input: $input) { key } }',
    { modelCode: 'thermostat', ...input },
  );
  return /"key":"([^"]+)"/.exec(answer)?.[1] ?? '';
}

/** Two keys, and devices of both: one is switched on and known, the other's wait for approval. */
async function fill(): Promise<void> {
  await graphql(
    'mutation ($input: CreateDeviceModelInput!) { createDeviceModel(input: $input) { deviceModel { id } } }',
    { code: 'thermostat', name: 'Thermostat' },
  );
  const line = await aKey({ name: 'Production line 1', newDevicesPerHour: 500 });
  const partner = await aKey({ name: 'Partner in Graz', requiresApproval: true });
  for (const serial of ['SN-000121', 'SN-000122', 'SN-000123']) await boot(line, serial, '1.2.3');
  for (const serial of ['GR-0001', 'GR-0002']) await boot(partner, serial, '1.2.4-rc1');
}

async function boot(key: string, serial: string, version: string): Promise<void> {
  const query = new URLSearchParams({ device_serial: serial, firmware_version: version });
  const response = await fetch(`${url}/api/iot/boot?${query}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}` },
  });
  if (response.status !== 204) throw new Error(await response.text());
}

async function photograph(): Promise<void> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [...CHROMIUM_FLAGS, ...PLAIN_TEXT],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 790 }, deviceScaleFactor: 1.4 });
  await page.goto(`${url}/enrolment`);
  await page.getByLabel('Token of a viewer or admin').fill(ADMIN);
  await page.getByRole('button', { name: 'Sign in with the token' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  for (const serial of ['GR-0001', 'GR-0002']) await page.getByLabel(`Select ${serial}`).check();
  await page.screenshot({ path: PICTURE, animations: 'disabled' });
  await browser.close();
}
