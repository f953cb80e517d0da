import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, inject, onTestFinished } from 'vitest';
import { hasChromium, NO_CHROMIUM } from './browser-program.js';

export { hasChromium };
export const NEEDS_CHROMIUM = hasChromium ? '' : ` (skipped: ${NO_CHROMIUM})`;

/** A page with cookies and storage of its own. At the test's end the page must not have complained of anything. */
export async function aBrowserPage(
  url: string,
  {
    path = '/',
    tolerates = () => false,
    ...context
  }: BrowserContextOptions & { path?: string; tolerates?: (complaint: string) => boolean } = {},
): Promise<Page> {
  const endpoint = inject('chromium');
  if (endpoint === null) throw new Error('a test needs Chromium and was not skipped');
  const browser = await chromium.connect(endpoint);
  const session = await browser.newContext({
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    ...context,
  });
  const page = await session.newPage();
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
    await session.close();
    await browser.close();
    expect(complaints.filter((complaint) => !tolerates(complaint))).toEqual([]);
  });

  await page.goto(path);
  return page;
}
