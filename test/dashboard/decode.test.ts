import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCrashDump } from '../../src/crashdump/index.js';
import { openDump, printPanic } from '../crashdump/panic-texts.js';
import { complaintsOfAxe } from '../support/axe.js';
import { aBrowserPage, hasChromium, NEEDS_CHROMIUM } from '../support/browser.js';
import { type CrashOf, type FixtureName, fixture } from '../support/fixtures.js';
import { dropOnPage, pasteOnPage } from '../support/give-to-page.js';
import { type Program, startProgram } from '../support/program.js';
import { findCaseFile } from '../support/real-cases.js';

const WORKER = /\/assets\/decode-worker-.*\.js$/;
const SAID = 'Read in this browser; nothing was sent.';

describe.skipIf(!hasChromium)(`the page that decodes a crash${NEEDS_CHROMIUM}`, () => {
  let program: Program;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'coredock-decode-'));
    program = await startProgram('serve', { dir });
  });
  afterAll(async () => {
    await program.stop('SIGTERM');
    await rm(dir, { recursive: true, force: true });
  });

  const open = (options: Parameters<typeof aBrowserPage>[1] = {}) =>
    aBrowserPage(program.url, { path: '/decode', ...options });

  it('reads a dump and its ELF that are dropped together, also when the server is gone, and sends nothing', async () => {
    const page = await open({ tolerates: isOffline });
    const requests = await requestsFrom(page);
    await page.context().setOffline(true);

    await dropOnPage(page, [await elf(), await dump('assert')]);

    await page.getByRole('heading', { name: /assert failed: packet_append/ }).waitFor();
    await page.getByText('An assertion did not hold in packet_append at network.c:21').waitFor();
    const frames = await crashedTask(page).getByRole('listitem').allInnerTexts();
    expect(frames).toHaveLength(7);
    expect(frames[3]).toContain('packet_append(packet=0x3fc8db88 <s_packet>, length=8,');
    await page.getByText(SAID).waitFor();
    await page.getByText('1.0.0 of thermostat').waitFor();
    await page.getByRole('row', { name: 'pc 0x420012b0 panic_abort+8' }).waitFor();
    await page.getByText('Unfold all').click();
    await page.getByText('Registers', { exact: true }).nth(1).click();
    await page.getByText('10 regions').click();
    await page.getByRole('cell', { name: '.flash.rodata' }).waitFor();
    expect(requests()).toEqual([]);
  });

  it('cannot send anything from where it reads: the browser forbids it', async () => {
    const page = await open({ tolerates: (complaint) => complaint.includes('Content Security Policy') });
    await page.getByLabel('A log, a panic text').waitFor();
    const [worker] = page.workers();

    const outcome = await worker?.evaluate(
      `fetch('/healthz', { method: 'POST' }).then(() => 'sent', () => 'refused')`,
    );

    expect(outcome).toBe('refused');
  });

  it('reads a log that is pasted while nothing has the focus, and puts it into the text area', async () => {
    const page = await open();
    const requests = await requestsFrom(page);
    await dropOnPage(page, [await elf()]);
    await page.getByText('Now give the crash.').waitFor();

    await pasteOnPage(page, await aLog('null-pointer'));

    await frame(page, 'sensor_read').waitFor();
    expect(await page.getByRole('textbox', { name: 'A log, a panic text' }).inputValue()).toContain(
      'CORE DUMP START',
    );
    expect(await page.evaluate('document.activeElement.tagName')).toBe('TEXTAREA');
    expect(requests()).toEqual([]);
  });

  it('reads a log of PowerShell, in UTF-16, and one of a megabyte', async () => {
    const page = await open();
    const log = await aLog('null-pointer');

    await dropOnPage(page, [await elf(), { name: 'log.txt', bytes: Buffer.from(`\ufeff${log}`, 'utf16le') }]);
    await frame(page, 'sensor_read').waitFor();
    await page.getByRole('button', { name: 'Remove log.txt' }).click();
    expect(await page.getByRole('article').count()).toBe(0);
    await pasteOnPage(page, `${'I (12) wifi: still here\r\n'.repeat(50_000)}${log}`);

    await frame(page, 'sensor_read').waitFor();
    await page.getByRole('button', { name: 'Remove pasted text' }).waitFor();
  });

  it('reads every shape of a panic text with the ELF, and sends nothing', async () => {
    const page = await open();
    const requests = await requestsFrom(page);
    await dropOnPage(page, [await elf()]);
    await page.getByText('Now give the crash.').waitFor();
    const field = page.getByRole('textbox', { name: 'A log, a panic text' });

    for (const [format, text] of await shapes()) {
      await pasteOnPage(page, text);
      await page.getByText(format, { exact: true }).waitFor();
      expect(await functionsIn(page), format).toEqual(expect.arrayContaining(['sensor_task']));
      await field.fill('');
      await page.getByText('Now give the crash.').waitFor();
    }
    await dropOnPage(page, [{ name: 'putty.log', bytes: Buffer.from(`\ufeff${await aPanic()}`, 'utf16le') }]);
    await frame(page, 'sensor_read').waitFor();
    await page.getByRole('heading', { name: 'Panic text' }).waitFor();
    // A text has no task to name, no memory but the printed stack, and no checksum.
    await page.getByRole('heading', { name: 'Backtrace', exact: true }).waitFor();
    expect(await page.getByText('checksum').count()).toBe(0);
    expect(requests()).toEqual([]);
  });

  it('reads a panic of an Xtensa chip with its ELF', async ({ skip }) => {
    const [core, firmware] = ['dump.bin', 'firmware.elf'].map((file) => findCaseFile('esp32-elf-head', file));
    if (!core || !firmware) return skip('the dump of a real ESP32 is missing');
    const text = printPanic(openDump(await readFile(core)), 'LoadProhibited');
    const page = await open();

    await dropOnPage(page, [{ name: 'esp32.elf', bytes: await readFile(firmware) }]);
    await pasteOnPage(page, text);

    await page.getByText('ESP-IDF panic', { exact: true }).waitFor();
    const { tasks } = readCrashDump({ core: Buffer.from(text), elf: await readFile(firmware) }).report;
    const names = tasks[0]?.frames.map((each) => each.function ?? (each.inRom ? 'ROM' : '??')) ?? [];
    expect(await functionsIn(page)).toEqual(names);
  });

  it('tells without an ELF what the dump alone says, and with one it says the rest', async () => {
    const page = await open();

    await dropOnPage(page, [await dump('null-pointer')]);
    await page.getByRole('heading', { name: 'Load access fault at 0x0000000c' }).waitFor();
    expect(await frame(page, '??').count()).toBeGreaterThan(0);
    // The way that a keyboard has.
    await page.getByLabel('Choose the ELF').setInputFiles(fixture('thermostat-1.0.0').elfPath);

    await frame(page, 'sensor_read').waitFor();
  });

  it('reads with a firmware of tens of megabytes, while the page goes on', async () => {
    const page = await open();

    await dropOnPage(page, [{ ...(await elf()), zeros: 40 * 1024 * 1024 }]);
    await page.getByText('40.1 MiB').waitFor();
    // Meanwhile the page has time for whoever types.
    const field = page.getByRole('textbox', { name: 'A log, a panic text' });
    await field.fill(await aLog('null-pointer'));

    await frame(page, 'sensor_read').waitFor();
    await page.getByText('1.0.0 of thermostat').waitFor();
  });

  it('says of an ELF alone what it is and lacks, and leads to the upload of builds', async () => {
    const page = await open();

    await dropOnPage(page, [await elf('values-1.0.0')]);

    const firmware = page.getByRole('region', { name: 'Firmware' });
    await firmware.getByText('1.0.0 of values').waitFor();
    await firmware.getByText('esp32c3').waitFor();
    await firmware.getByRole('link', { name: 'upload it as a build' }).click();
    await page.getByRole('heading', { name: 'Firmware', level: 1 }).waitFor();
  });

  it('says what is wrong with what it cannot read, and takes the next', async () => {
    const page = await open();

    await dropOnPage(page, [{ name: 'a.png', bytes: Buffer.from('\x89PNG\r\n\x1a\n0123456789', 'latin1') }]);
    await page.getByRole('alert').getByText('This is a PNG image').waitFor();
    await dropOnPage(page, [{ name: 'b.zip', bytes: Buffer.from('PK\x03\x04bundle') }]);
    await page.getByRole('alert').getByText('b.zip is a ZIP archive. Unpack it').waitFor();
    await dropOnPage(page, [await dump('abort'), await dump('assert')]);
    await page.getByText('thermostat-1.0.0-assert.dmp was left out: one crash is read at a time.').waitFor();
    await dropOnPage(page, [{ name: 'x86.elf', bytes: ofOtherProcessor((await elf()).bytes) }]);

    await page.getByRole('alert').getByText('machine 0x3e').waitFor();
    await page.getByRole('heading', { name: /abort\(\) was called/ }).waitFor();
  });

  it('ends a reading that does not end, or that fails, with a sentence, and reads again', async () => {
    const page = await open({ tolerates: (complaint) => complaint.includes('too much') });
    await page.route(WORKER, (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        body: 'self.onmessage = () => { for (;;) {} }',
      }),
    );
    await page.reload();
    await dropOnPage(page, [await elf(), await dump('abort')]);
    await page.getByText('Reading in this browser…').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Not read. You stopped the reading.').waitFor();

    await page.unroute(WORKER);
    await page.route(WORKER, (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        body: 'self.onmessage = () => { throw new Error("too much") }',
      }),
    );
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByText('Not read. The reader ended: Uncaught Error: too much.').waitFor();

    await page.unroute(WORKER);
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByRole('heading', { name: /abort\(\) was called/ }).waitFor();
  });

  it('gives the report as text and as Markdown in which nothing of a device is markup', async () => {
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await dropOnPage(page, [await elf(), await dump('assert')]);
    const copied = () => page.evaluate('navigator.clipboard.readText()');

    await page.getByRole('button', { name: 'Copy as text' }).click();
    await expect.poll(copied).toContain('ESP32 CORE DUMP START');
    await page.getByRole('button', { name: 'Copy as Markdown' }).click();

    await expect.poll(copied).toMatch(/^# Crash\n\n```text\nassert failed: packet_append/);
    expect(await copied()).toContain('#3  0x420017e2 in packet_append (');
  });

  it.each(['light', 'dark'] as const)(
    'is accessible by axe’s rules in the %s theme, empty and with a report, and fits into 400 pixels',
    async (colorScheme) => {
      const page = await open({ colorScheme, viewport: { width: 400, height: 800 } });
      await page.getByLabel('A log, a panic text').waitFor();
      expect(await complaintsOfAxe(page)).toEqual([]);

      await dropOnPage(page, [await elf(), await dump('stack-overflow')]);
      await page.getByText(SAID).waitFor();

      expect(await complaintsOfAxe(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
    },
  );
});

async function elf(build: FixtureName = 'thermostat-1.0.0') {
  return { name: `${build}.elf`, bytes: await readFile(fixture(build).elfPath) };
}

async function dump(how: CrashOf<'thermostat-1.0.0'>) {
  return {
    name: `thermostat-1.0.0-${how}.dmp`,
    bytes: await readFile(fixture('thermostat-1.0.0').dump(how)),
  };
}

/** As the device prints the dump to its console. */
async function aLog(how: CrashOf<'thermostat-1.0.0'>): Promise<string> {
  const lines = (await dump(how)).bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [
    'I (31) boot: ESP-IDF v5.3.2',
    '================= CORE DUMP START =================',
    ...lines,
    '================= CORE DUMP END =================',
    'Rebooting...',
  ].join('\r\n');
}

/** As its device would have printed the same crash. */
async function aPanic(): Promise<string> {
  return printPanic(openDump((await dump('null-pointer')).bytes), 'Load access fault');
}

/** Names of formats, each with one crash in that form. */
async function shapes(): Promise<[format: string, text: string][]> {
  const { report } = readCrashDump({
    core: (await dump('null-pointer')).bytes,
    elf: (await elf()).bytes,
  });
  const [pc = '', ...callers] = new Set(report.tasks[0]?.frames.map((each) => each.pc));
  const digits = (address: string) => address.slice(2);
  const log = (line: string) => `[12:31:55][E][esp32.crash:221]: ${line}`;
  return [
    ['ESP-IDF panic', await aPanic()],
    [
      'ESPHome crash report',
      [
        log('*** CRASH DETECTED ON PREVIOUS BOOT ***'),
        log('  Reason: Fault - Load access fault'),
        log(`  PC:  ${pc}  (fault location)`),
        ...callers.map((address, at) => log(`  BT${at}: ${address}  (backtrace)`)),
      ].join('\n'),
    ],
    [
      'Tasmota crash record',
      JSON.stringify({
        StatusSTK: {
          Exception: 5,
          Reason: 'Load access fault',
          EPC: digits(pc),
          EXCVADDR: '0000000c',
          CallChain: callers.map(digits),
        },
      }),
    ],
    [
      'Rust panic',
      [
        "!! A panic occured in 'src/main.rs', at line 42, column 5",
        'Backtrace:',
        // Less the call's length already.
        ...callers.map((address) => `0x${(Number(address) - 4).toString(16)}`),
      ].join('\n'),
    ],
    ['addresses', [pc, ...callers].join(' ')],
  ];
}

function ofOtherProcessor(firmware: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(firmware);
  // e_machine
  changed[18] = 62;
  return changed;
}

function crashedTask(page: Page) {
  return page.getByRole('region', { name: /^(Crashed task|Backtrace)/ });
}

async function functionsIn(page: Page): Promise<string[]> {
  return crashedTask(page).locator('.frame-function').allInnerTexts();
}

function frame(page: Page, name: string) {
  return crashedTask(page).locator('.frame-function').getByText(name, { exact: true });
}

/** What the page asks for from now on, the worker included. */
async function requestsFrom(page: Page): Promise<() => string[]> {
  await page.getByRole('heading', { name: 'Decode a crash' }).waitFor();
  await page.waitForLoadState('networkidle');
  const requests: string[] = [];
  page.context().on('request', (request) => {
    // The page's own code, which it loads soon after the start.
    const isCode = new URL(request.url()).pathname.startsWith('/assets/');
    if (!isCode) requests.push(`${request.method()} ${request.url()}`);
  });
  return () => requests;
}

/** What Chromium writes to the console of a connection that is gone. */
function isOffline(complaint: string): boolean {
  return complaint.includes('ERR_INTERNET_DISCONNECTED');
}
