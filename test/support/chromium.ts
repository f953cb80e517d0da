import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';
import { CHROMIUM, CHROMIUM_FLAGS, hasChromium } from './browser-program.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser of the run listens; null when this machine has none. */
    chromium: string | null;
  }
}

/** One browser for all files of the run: each test has a context of its own in it, as private as a profile. */
export default async function setup(project: TestProject) {
  const server = hasChromium
    ? await chromium.launchServer({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS, host: '127.0.0.1' })
    : null;
  project.provide('chromium', server?.wsEndpoint() ?? null);
  return () => server?.close();
}
