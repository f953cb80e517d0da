import { describe, expect, it } from 'vitest';
import { readEsphomeCrashes } from '../../../src/crashdump/crash-text/esphome.js';
import { readIdfCrashes } from '../../../src/crashdump/crash-text/idf-panic.js';
import { type Line, linesOf } from '../../../src/crashdump/crash-text/lines.js';
import { readNuttxCrashes } from '../../../src/crashdump/crash-text/nuttx.js';
import { readCrashText } from '../../../src/crashdump/crash-text/read-crash-text.js';
import { readRustCrashes } from '../../../src/crashdump/crash-text/rust.js';
import { readZephyrCrashes } from '../../../src/crashdump/crash-text/zephyr.js';
import { guru, logLine, registerDump } from './printers.js';
import { XTENSA } from './shapes.js';
import { session } from './transports.js';

const READERS = [readIdfCrashes, readEsphomeCrashes, readRustCrashes, readNuttxCrashes, readZephyrCrashes];

/** Lines with which something begins, again and again: who looks ahead from each must not look far. */
const BEGINNINGS: readonly [name: string, text: string][] = [
  ['exceptions', guru(0, 'LoadProhibited')],
  ['titles of backtraces', 'Backtrace:\n'],
  ['backtraces', 'Backtrace: 0x400d66bc:0x3ffb4e90 \n'],
  ['rests of a backtrace', '0x400d66bc:0x3ffb4e90 \n'],
  ['registers', registerDump(0, XTENSA)],
  [
    'watchdogs',
    logLine(
      'E',
      1,
      'task_wdt',
      'Task watchdog got triggered. The following tasks did not reset the watchdog in time:',
    ),
  ],
  ['resets', 'rst:0x7 (TG0WDT_SYS_RST),boot:0x8\n'],
  ['prefaces', 'ESP_ERROR_CHECK failed: esp_err_t 0x105\n'],
  ['reports of ESPHome', '*** CRASH DETECTED ON PREVIOUS BOOT ***\n'],
  ['panics of Rust', "!! A panic occured in 'src/main.rs', at line 42, column 5\n"],
  ['panics of NuttX', 'xtensa_user_panic: User Exception: EXCCAUSE=001d task: x\n'],
  ['assertions of NuttX', '_assert: Assertion failed panic: at file: x task: x\n'],
  ['exceptions of Zephyr', ' ** FATAL EXCEPTION\n'],
];
const LINES = 4_000;
/** Of every reader, on the average. */
const MOST_LOOKS = 160;

/** The lines, and how often one was looked at. */
function counted(lines: readonly Line[]): { lines: readonly Line[]; looks: () => number } {
  let looks = 0;
  const proxy = new Proxy(lines, {
    get(target, property) {
      if (typeof property === 'string' && /^\d/.test(property)) looks += 1;
      return Reflect.get(target, property);
    },
  });
  return { lines: proxy, looks: () => looks };
}

describe('the work for a text', () => {
  it.each(BEGINNINGS)('is linear for nothing but %s', (_, line) => {
    const lines = linesOf(line.repeat(Math.ceil(LINES / line.trim().split('\n').length)));

    for (const read of READERS) {
      const { lines: watched, looks } = counted(lines);
      read(watched);
      expect(looks() / lines.length, read.name).toBeLessThan(MOST_LOOKS);
    }
  });

  it('finds a crash behind a megabyte of log with bytes that are no text', () => {
    const upload = Buffer.concat([
      session(1 << 20),
      Buffer.from(guru(0, 'LoadProhibited') + registerDump(0, XTENSA)),
    ]);

    expect(readCrashText(upload)?.exceptionName).toBe('LoadProhibited');
  });

  it.each([
    ['brackets', '['.repeat(200_000)],
    ['nested JSON', `${'[1,'.repeat(50_000)}"x"${']'.repeat(50_000)}`],
    ['backslashes', '\\'.repeat(200_000)],
    ['escapes of a terminal', '\u001b['.repeat(100_000)],
    ['number signs before a beginning', `${'#'.repeat(100)}Backtrace:\n${'1'.repeat(100_000)}\n`.repeat(3)],
    ['a line of addresses', '0x400d66bc '.repeat(20_000)],
  ])('does not depend on %s', (_, text) => {
    expect(() => readCrashText(Buffer.from(text))).not.toThrow();
  });
});
