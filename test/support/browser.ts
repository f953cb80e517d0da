import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS, hasChromium } from './browser-program.js';

export { hasChromium };
export const NEEDS_CHROMIUM = hasChromium
  ? ''
  : ' (skipped: no Chromium at CHROMIUM_PATH or /usr/bin/chromium)';

/** A browser of its own with one page open. At the test's end the page must not have complained of anything. */
export async function aBrowserPage(
  url: string,
  {
    path = '/',
    tolerates = () => false,
    ...context
  }: BrowserContextOptions & { path?: string; tolerates?: (complaint: string) => boolean } = {},
): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'coredock-browser-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: CHROMIUM_FLAGS,
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    ...context,
  });
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(60_000);

  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(url).host) complaints.push(`asked ${request.url()}`);
  });
  onTestFinished(async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    expect(complaints.filter((complaint) => !tolerates(complaint))).toEqual([]);
  });

  await page.goto(path);
  return page;
}
