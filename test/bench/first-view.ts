import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM, CHROMIUM_FLAGS, hasChromium, NO_CHROMIUM } from '../support/browser-program.js';
import { fixture } from '../support/fixtures.js';
import { ask } from './ask.js';
import { earlierBuild } from './earlier-build.js';
import { register, sendDump, uploadFirmware } from './fleet.js';
import { withFolder } from './folder.js';
import { quantile } from './load.js';
import { coredockStack, type Peer } from './processes.js';
import { type Result, skipped } from './result.js';

const DUMPS = 2_500;
const DEVICES = 100;
const ROUNDS = 15;
const PAGES = ['/', '/groups', '/dumps'];
const MOST_BYTES = 150_000;
const WHAT = 'from the address to the first rows, painted';

interface View {
  /** From the start of the navigation until a row of a list was painted. */
  firstRowMs: number;
  /** Of everything that was loaded until then, as it went over the wire, headers included. */
  bytes: number;
}

declare global {
  /** In the page: when the first row of a list was painted; milliseconds since the navigation began. */
  var firstRowAt: number | undefined;
}

/** What somebody waits for who opens the page for the first time, on a server with some thousand dumps. */
export async function firstView(): Promise<Result[]> {
  if (!hasChromium) return [skipped(WHAT, NO_CHROMIUM)];
  const earlier = earlierBuild();
  return withFolder(async (dir) => {
    const peers: { ours: Peer; before: Peer | null } = {
      ours: await aFleet(join(dir, 'ours')),
      before: 'missing' in earlier ? null : await aFleet(join(dir, 'before'), earlier.program),
    };
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
    try {
      const results: Result[] = [];
      for (const path of PAGES) results.push(...(await compared(browser, peers, path)));
      return results;
    } finally {
      await browser.close();
      await Promise.all([peers.ours.stop(), peers.before?.stop()]);
    }
  });
}

async function compared(
  browser: Browser,
  { ours, before }: { ours: Peer; before: Peer | null },
  path: string,
): Promise<Result[]> {
  const views: Record<'ours' | 'before', View[]> = { ours: [], before: [] };
  // The first of each warms the server up.
  for (let round = 0; round <= ROUNDS; round++) {
    if (before !== null) views.before.push(await viewOf(browser, before.url + path));
    views.ours.push(await viewOf(browser, ours.url + path));
  }
  const median = (name: 'ours' | 'before', of: (view: View) => number) =>
    quantile(views[name].slice(1).map(of), 0.5);
  const [ms, kept] = [median('ours', (view) => view.firstRowMs), median('ours', (view) => view.bytes)];
  const earlierMs = median('before', (view) => view.firstRowMs);
  return [
    {
      what: `${WHAT}: ${path}, ours / before`,
      value: before === null ? null : ms / earlierMs,
      hold: '≤ 1.05: not slower',
      holds: (seen) => seen <= 1.05,
      detail:
        before === null
          ? `SKIPPED: no BASELINE; ${ms.toFixed(0)} ms`
          : `${ms.toFixed(0)} against ${earlierMs.toFixed(0)} ms`,
    },
    {
      what: `over the wire until then: ${path}`,
      value: kept / 1000,
      unit: 'kB',
      hold: `≤ ${MOST_BYTES / 1000}`,
      holds: (seen) => seen <= MOST_BYTES / 1000,
      detail:
        before === null ? '' : `before ${(median('before', (view) => view.bytes) / 1000).toFixed(0)} kB`,
    },
  ];
}

/** With an empty cache, as a new visitor. */
async function viewOf(browser: Browser, url: string): Promise<View> {
  const session = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await session.newPage();
    await page.addInitScript(noteFirstRow);
    const devtools = await session.newCDPSession(page);
    const loaded: Array<{ at: number; bytes: number }> = [];
    await devtools.send('Network.enable');
    await devtools.send('Performance.enable');
    devtools.on('Network.loadingFinished', ({ timestamp: at, encodedDataLength: bytes }) => {
      loaded.push({ at, bytes });
    });
    await page.goto(url);
    await page.waitForFunction(() => globalThis.firstRowAt !== undefined);
    const firstRowMs = (await page.evaluate(() => globalThis.firstRowAt)) ?? Number.NaN;
    // In seconds, as those of the network. What has come since the row was painted is not of the first view.
    const { metrics } = await devtools.send('Performance.getMetrics');
    const began = metrics.find(({ name }) => name === 'NavigationStart')?.value ?? Number.NaN;
    const until = loaded.filter(({ at }) => (at - began) * 1000 <= firstRowMs);
    return { firstRowMs, bytes: until.reduce((sum, { bytes }) => sum + bytes, 0) };
  } finally {
    await session.close();
  }
}

/** Runs in the page, before its own scripts. */
function noteFirstRow(): void {
  new MutationObserver((_, observer) => {
    if (document.querySelector('tbody tr a') === null) return;
    observer.disconnect();
    // The next frame but one begins when this one has been painted.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        globalThis.firstRowAt = performance.now();
      }),
    );
  }).observe(document, { subtree: true, childList: true });
}

/** A server whose dumps were uploaded and read as real ones are, so that each build has its own tables. */
async function aFleet(dir: string, program?: string): Promise<Peer> {
  await mkdir(dir);
  const server = await coredockStack(dir, { MAX_COREDUMPS: String(DUMPS) }, program);
  const { elfPath, dump, crashes } = fixture('thermostat-1.0.0');
  await register(server, DEVICES);
  await uploadFirmware(server.url, new Uint8Array(await readFile(elfPath)));
  const bodies = await Promise.all(crashes.map(async (how) => new Uint8Array(await readFile(dump(how)))));
  for (let index = 0; index < DUMPS; index++) {
    const body = bodies[index % bodies.length] as Uint8Array<ArrayBuffer>;
    await sendDump(server.url, index % DEVICES, body, { 'Idempotency-Key': `dump-${index}` });
  }
  while ((await pending(server.url)) > 0) await pause(500);
  return server;
}

async function pending(url: string): Promise<number> {
  const data = await ask(url, '{ coredumps(first: 0, filter: { parseStatus: [PENDING] }) { totalCount } }');
  return (data as { coredumps: { totalCount: number } }).coredumps.totalCount;
}
