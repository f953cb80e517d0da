/**
 * `npm run photograph`: makes `docs/dump-page.png`, the picture of README.md. Starts the demo in an empty folder, opens
 * one of the crashes of its history in Chromium, and takes the picture.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM, CHROMIUM_FLAGS } from '../support/browser-program.js';

const DEMO = fileURLToPath(new URL('../../dist/demo.js', import.meta.url));
const PICTURE = fileURLToPath(new URL('../../docs/dump-page.png', import.meta.url));
/** An assertion of the demo's firmware: its page has a long title, arguments, an inlined frame and other tasks. */
const CRASH = 'packet_append';
/** Grey edges of letters: the picture looks the same everywhere, and compresses well. */
const PLAIN_TEXT = ['--disable-lcd-text', '--force-color-profile=srgb'];

const folder = await mkdtemp(join(tmpdir(), 'coredock-photograph-'));
const demo = spawn(process.execPath, [DEMO], {
  cwd: folder,
  env: { PATH: process.env.PATH, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = new Promise((resolve) => demo.once('exit', resolve));
try {
  const url = await addressOf(demo.stdout);
  await photograph(`${url}/dumps/${await newestDump(url, CRASH)}`);
} finally {
  demo.kill();
  await ended;
  await rm(folder, { recursive: true, force: true });
}

async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [, url] = /The page: +(http\S+)/.exec(line) ?? [];
    if (url !== undefined) {
      output.resume();
      return url;
    }
  }
  throw new Error('the demo ended before it named its page');
}

async function newestDump(url: string, search: string): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      query: 'query ($search: String!) { coredumps(first: 1, filter: { search: $search }) { nodes { id } } }',
      variables: { search },
    }),
  });
  const [, id] = /"id":"([^"]+)"/.exec(await response.text()) ?? [];
  if (id === undefined) throw new Error(`the demo has no crash in ${search}`);
  return id;
}

async function photograph(address: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [...CHROMIUM_FLAGS, ...PLAIN_TEXT],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 880 }, deviceScaleFactor: 1.5 });
  await page.goto(address);
  await page.getByRole('heading', { name: /^Crashed task/ }).waitFor();
  await page.screenshot({ path: PICTURE, animations: 'disabled' });
  await browser.close();
}
