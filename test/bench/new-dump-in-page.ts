import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { CHROMIUM, CHROMIUM_FLAGS, hasChromium, NO_CHROMIUM } from '../support/browser-program.js';
import { fixture } from '../support/fixtures.js';
import { ask } from './ask.js';
import { register, sendDump, uploadFirmware } from './fleet.js';
import { withFolder } from './folder.js';
import { quantile } from './load.js';
import { coredockStack } from './processes.js';
import { type Result, skipped } from './result.js';

const DUMPS = 20;
/** Between two dumps. An open page reads again at most every two seconds while many come: each is to find it at rest. */
const PAUSE_MS = 2_500;
const WHAT = 'parse committed → the dump stands as parsed in an open page, p99';

declare global {
  /** In the page: when the row of a dump stood there as parsed, by the address of its page; milliseconds since 1970. */
  var shownAt: Record<string, number>;
}

/** A dump arrives and is read while somebody looks at the list of dumps. Browser and server share the machine's clock. */
export async function newDumpInPage(): Promise<Result[]> {
  if (!hasChromium) return [skipped(WHAT, NO_CHROMIUM)];
  return withFolder(async (dir) => {
    const server = await coredockStack(dir, { MAX_COREDUMPS: String(DUMPS) });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
    try {
      const { elfPath, dump } = fixture('thermostat-1.0.0');
      await register(server, 1);
      await uploadFirmware(server.url, new Uint8Array(await readFile(elfPath)));
      const page = await browser.newPage();
      await page.addInitScript(noteWhatIsShown);
      await page.goto(`${server.url}/dumps`);
      await page.getByText('Live', { exact: true }).waitFor();

      const bytes = new Uint8Array(await readFile(dump('null-pointer')));
      for (let index = 0; index < DUMPS; index++) {
        await sendDump(server.url, 0, bytes, { 'Idempotency-Key': `dump-${index}` });
        await untilShown(page, index + 1);
        await pause(PAUSE_MS);
      }
      return [resultOf(await parsedAt(server.url), await page.evaluate(() => shownAt))];
    } finally {
      await browser.close();
      await server.stop();
    }
  });
}

/** Runs in the page, before its own scripts. */
function noteWhatIsShown(): void {
  globalThis.shownAt = {};
  new MutationObserver(() => {
    const links = document.querySelectorAll<HTMLAnchorElement>('tr[data-status=PARSED] a[data-row]');
    for (const { pathname } of links) {
      // The next frame but one begins when this one has been painted.
      requestAnimationFrame(() => requestAnimationFrame(() => (shownAt[pathname] ??= Date.now())));
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
}

async function untilShown(page: Page, count: number): Promise<void> {
  await page.waitForFunction((wanted) => Object.keys(shownAt).length >= wanted, count);
}

/** `parsedAt` is taken in the transaction that commits the report: the times include the commit itself. */
async function parsedAt(url: string): Promise<ReadonlyMap<string, number>> {
  const data = await ask(url, `{ coredumps(first: ${DUMPS}) { nodes { id parsedAt } } }`);
  const { nodes } = (data as { coredumps: { nodes: Array<{ id: string; parsedAt: string }> } }).coredumps;
  return new Map(nodes.map(({ id, parsedAt }) => [`/dumps/${encodeURIComponent(id)}`, Date.parse(parsedAt)]));
}

function resultOf(committed: ReadonlyMap<string, number>, shown: Record<string, number>): Result {
  const delays = [...committed].map(([path, at]) => (shown[path] ?? Number.POSITIVE_INFINITY) - at);
  return {
    what: WHAT,
    value: quantile(delays, 0.99),
    unit: 'ms',
    hold: '< 300 ms',
    holds: (ms) => ms < 300,
    detail: `median ${quantile(delays, 0.5).toFixed(0)} ms, ${delays.length} dumps, one at a time`,
  };
}
