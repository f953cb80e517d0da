import { existsSync } from 'node:fs';

/**
 * Debian's Chromium, or what the variable names. Preferably the one without a window: it has the same engine, and no
 * windows, of which each would cost a test about a second of a processor. Without a browser the page's tests are visibly
 * skipped.
 */
const [WITHOUT_WINDOWS, WITH_WINDOWS] = ['/usr/lib/chromium/chromium-headless-shell', '/usr/bin/chromium'];
export const CHROMIUM =
  process.env.CHROMIUM_PATH ?? (existsSync(WITHOUT_WINDOWS) ? WITHOUT_WINDOWS : WITH_WINDOWS);
export const hasChromium = existsSync(CHROMIUM);
export const NO_CHROMIUM = `no Chromium at CHROMIUM_PATH, ${WITHOUT_WINDOWS} or ${WITH_WINDOWS}`;
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
