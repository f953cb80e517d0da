import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCrashText } from '../../../src/crashdump/crash-text/read-crash-text.js';
import { readCrashDump } from '../../../src/crashdump/index.js';
import { readFixtures } from '../../fuzz/corpus.js';
import { WRAPPINGS } from '../wrappings.js';
import { backtrace, hex, logLine, REBOOT } from './printers.js';
import { PAIRS } from './shapes.js';

const [dump] = readFixtures();

/** Texts that have something of a crash in them, and are none. */
const OTHERS: readonly [name: string, text: string][] = [
  ['nothing', ''],
  ['blanks', ' \r\n\r\n'],
  ['a log', logLine('I', 24, 'boot', 'ready').repeat(100)],
  ['a boot', 'ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n'],
  ['a restart', `${REBOOT}rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n`],
  ['a page of a proxy', '<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>'],
  [
    'a page about a crash',
    `<html><body><pre>Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.${backtrace(PAIRS)}</pre></body></html>`,
  ],
  [
    'a question about a crash',
    "Since yesterday I get Guru Meditation Error: Core  0 panic'ed (LoadProhibited) after some hours. What is wrong?",
  ],
  [
    'an answer about a crash',
    'When abort() was called at PC 0x400d66b9 on core 0 is printed, the heap is full.\nThen look at assert failed: lines.',
  ],
  [
    'the source of a panic handler',
    'panic_print_str("Guru Meditation Error: Core ");\npanic_print_dec(info->core);\npanic_print_str(" panic\'ed (");\npanic_print_str("Backtrace:");\nprintf("assert failed: %s %s:%d (%s)\\r\\n", f, file, line, e);',
  ],
  [
    'registers of a driver',
    logLine('I', 24, 'i2c', 'SR: 0x000000c0') + logLine('I', 25, 'i2c', 'FIFO_ST: 0x00000000'),
  ],
  [
    'a check of the heap that goes on',
    `CORRUPT HEAP: Bad head at 0x3ffb8000. Expected 0xabba1234 got 0x00000000\n${logLine('I', 24, 'main', 'on').repeat(60)}`,
  ],
  [
    'an ESP8266',
    'Exception (28):\nepc1=0x40201234 epc2=0x00000000 epc3=0x00000000 excvaddr=0x00000010 depc=0x00000000\n\n>>>stack>>>\n3ffffdb0:  40223e00 3fff6f50 00000010 60000600\n<<<stack<<<\n',
  ],
  [
    'ESPHome on an ESP8266',
    '[E][esp8266:171]: *** CRASH DETECTED ON PREVIOUS BOOT ***\n[E][esp8266:172]:   Reason: Exception - LoadProhibited (exccause=28)\n[E][esp8266:173]:   PC: 0x40201234\n[E][esp8266:174]:   BT0: 0x40205678\n[E][esp8266:175]: Use: addr2line -pfiaC -e firmware.elf 0x40201234 0x40205678\n',
  ],
  [
    'ESPHome on an RP2040',
    '[E][rp2040.crash:101]: *** CRASH DETECTED ON PREVIOUS BOOT ***\n[E][rp2040.crash:102]:   PC:  0x10001234  (fault location)\n[E][rp2040.crash:103]:   LR:  0x10005678  (return address)\n',
  ],
  [
    'Tasmota on an ESP8266',
    '{"StatusSTK":{"Exception":28,"Reason":"LoadProhibited","EPC":["40201234","00000000","00000000"],"EXCVADDR":"00000000","DEPC":"00000000","CallChain":["40205678"]}}',
  ],
  [
    'CircuitPython',
    'You are in safe mode because:\nCircuitPython core code crashed hard. Whoops!\nHard fault: memory access or instruction error.\n',
  ],
  [
    'Zephyr on another processor',
    'E: ***** BUS FAULT *****\nE:   Precise data bus error\nE: r0/a1:  0x00000000  r1/a2:  0x00000000\nE: Faulting instruction address (r15/pc): 0x00001234\nE: >>> ZEPHYR FATAL ERROR 25: Unknown error on CPU 0\n',
  ],
  [
    'NuttX on another processor',
    'dump_assert_info: Assertion failed : at file: main.c:100 task: main process: main 0x1107ac19\nup_dump_register: R0: 182bf8e0 R1: 00000064 R2: 00000000  R3: 00000000\nsched_dumpstack: backtrace|237: 0x1064a440 0x1066f480\n',
  ],
  [
    'a panic of Rust on a computer',
    "thread 'main' panicked at src/main.rs:2:5:\nexplicit panic\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
  ],
  ['one number of eight digits', '40081234'],
  ['decimal numbers', '40081234\n40085678\n40089012\n'],
  ['addresses of data', '0x3ffb4e90 0x3ffb4eb0 0x3ffb4ed0'],
  ['addresses in prose', 'The two functions are at 0x400d66bc and 0x400d66f5, which is strange.'],
  [
    'an inventory of serial numbers',
    Array.from({ length: 40 }, (_, index) => `sensor-${index},${hex(0x40080000 + index)},Berlin`).join('\n'),
  ],
];

describe('what is no crash', () => {
  it.each(OTHERS)('%s', (_, text) => {
    expect(readCrashText(Buffer.from(text))).toBeNull();
  });

  it.each(WRAPPINGS)('a core dump: $name', ({ wrap }) => {
    expect(readCrashText(wrap(dump?.core ?? Buffer.alloc(0)))).toBeNull();
  });

  it.each([
    'README.md',
    'docs/crash-report.md',
    'src/crashdump/core/identify-text.ts',
    'src/crashdump/crash-text/idf-causes.ts',
    'schema.graphql',
  ])('a file of this project: %s', (path) => {
    expect(readCrashText(readFileSync(path))).toBeNull();
  });

  it('every dump and firmware of our fixtures', () => {
    for (const { name, core, elf } of readFixtures()) {
      expect(readCrashText(core), name).toBeNull();
      expect(readCrashText(elf), name).toBeNull();
      // Parts of a firmware have the texts of its panic handler.
      expect(readCrashText(elf.subarray(4096)), name).toBeNull();
    }
  });
});

describe('a text of another chip', () => {
  const named = (text: string) => () => readCrashDump({ core: Buffer.from(text) });
  const textOf = (name: string) => OTHERS.find(([other]) => other === name)?.[1] ?? '';

  it.each([
    ['an ESP8266', /ESP8266/],
    ['ESPHome on an ESP8266', /ESP8266/],
    ['Tasmota on an ESP8266', /ESP8266/],
    ['ESPHome on an RP2040', /RP2040/],
    ['CircuitPython', /CircuitPython/],
  ])('is named: %s', (name, message) => {
    expect(named(textOf(name))).toThrow(message);
  });
});

it('is not refused as something else than it is: a sentence about a panic', () => {
  const core = Buffer.from('It says "Guru Meditation Error: Core 0 panic\'ed (LoadProhibited)", what now?');

  expect(() => readCrashDump({ core })).toThrow(/looks like a panic text .* could be read: is it whole\?$/);
});
