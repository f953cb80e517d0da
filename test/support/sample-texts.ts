import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type CrashKind,
  type CrashReport,
  type CrashSource,
  readCrashDump,
} from '../../src/crashdump/index.js';
import { openDump, printPanic } from '../crashdump/panic-texts.js';
import { summaryOf } from '../crashdump/summaries.js';
import { fixture } from './fixtures.js';

/** Texts and summaries of the crashes in test/fixtures/firmware, as their devices would have printed and sent them. */
export interface SampleText {
  /** In test/fixtures/texts. */
  file: string;
  source: CrashSource;
  kind: CrashKind;
  /** The function that is to blame; null where the text does not tell it. */
  culprit: string | null;
  /** The crash whose dump has the same fingerprint; null where the text tells less. */
  sameAs: CrashOfThermostat | null;
  /** False: the device went on. */
  isCrash: boolean;
  write(): string;
}

type CrashOfThermostat = (typeof thermostat.crashes)[number];

const thermostat = fixture('thermostat-1.0.0');

/** Of all samples. */
export const SAMPLE_ELF = thermostat.elfPath;

export function samplePath({ file }: Pick<SampleText, 'file'>): string {
  return fileURLToPath(new URL(`../fixtures/texts/${file}`, import.meta.url));
}

const OF_SENSOR = {
  source: 'panic_text',
  kind: 'INVALID_READ',
  culprit: 'sensor_convert',
  sameAs: 'null-pointer',
  isCrash: true,
} as const;
const OF_NETWORK = {
  source: 'panic_text',
  kind: 'ABORT',
  culprit: 'network_handle_reply',
  sameAs: 'abort',
  isCrash: true,
} as const;

export const SAMPLE_TEXTS: readonly SampleText[] = [
  { ...OF_SENSOR, file: 'registers-and-stack.txt', write: () => guru() },
  { ...OF_SENSOR, file: 'console-log.txt', write: () => withTimes(`${BOOT_LOG}${guru()}${NEXT_BOOT}`) },
  {
    ...OF_SENSOR,
    file: 'log-with-broken-dump.txt',
    write: () => `${BOOT_LOG}${guru()}${BROKEN_DUMP}${NEXT_BOOT}`,
  },
  { ...OF_SENSOR, file: 'backtrace-of-frame-pointers.txt', write: () => guru(backtrace()) },
  {
    ...OF_SENSOR,
    file: 'esphome.txt',
    write: () =>
      [
        '*** CRASH DETECTED ON PREVIOUS BOOT ***',
        '  Reason: Fault - Load access fault (cause 5)',
        `  PC:  0x${upper(addresses()[0])}  (fault location)`,
        '  MTVAL: 0x0000000C  (faulting address)',
        ...addresses()
          .slice(0, 2)
          .map((address, index) => `  BT${index}: 0x${upper(address)}  (backtrace)`),
        ...addresses()
          .slice(2)
          .map((address, index) => `  BT${index + 2}: 0x${upper(address)}  (stack scan)`),
        `Use: addr2line -pfiaC -e firmware.elf ${addresses()
          .map((address) => `0x${upper(address)}`)
          .join(' ')}`,
        '',
      ]
        .map((line) => (line === '' ? '' : `[12:31:55][E][esp32.crash:221]: ${line}`))
        .join('\r\n'),
  },
  {
    ...OF_SENSOR,
    file: 'tasmota.json',
    write: () =>
      `${JSON.stringify({
        StatusSTK: {
          Exception: 5,
          Reason: 'Load access fault',
          EPC: lower(addresses()[0]),
          EXCVADDR: '0000000c',
          CallChain: addresses().slice(1).map(lower),
        },
      })}\n`,
  },
  {
    ...OF_SENSOR,
    file: 'addresses.txt',
    kind: 'OTHER',
    culprit: null,
    sameAs: null,
    write: () => `Can somebody decode this?\r\n${addresses().join(' ')}\r\n`.replace(/^.*\r\n/, ''),
  },
  { ...OF_NETWORK, file: 'abort.txt', write: () => printPanic(dumpOf('abort'), null) },
  {
    ...OF_NETWORK,
    file: 'rust.txt',
    sameAs: null,
    write: () =>
      [
        '',
        '====================== PANIC ======================',
        'panicked at src/main.rs:42:5:',
        'the sensor does not answer',
        '',
        'Backtrace:',
        '',
        ...addresses('abort')
          .slice(1)
          .map((address) => `0x${(Number(address) - 4).toString(16)}`),
        '',
      ].join('\r\n'),
  },
  {
    ...OF_SENSOR,
    file: 'task-watchdog.txt',
    kind: 'TASK_WATCHDOG',
    culprit: 'radio_wait_until_ready',
    sameAs: 'task-watchdog',
    write: () => `${WATCHDOG}${log('E', 15_031, 'task_wdt', 'Aborting.')}${PRINT}${watchdogPanic()}`,
  },
  {
    ...OF_SENSOR,
    file: 'task-watchdog-goes-on.txt',
    kind: 'TASK_WATCHDOG',
    culprit: 'radio_wait_until_ready',
    sameAs: null,
    isCrash: false,
    write: () => `${WATCHDOG}${PRINT}${backtrace('task-watchdog')}${log('I', 16_031, 'radio', 'ready')}`,
  },
  {
    ...OF_SENSOR,
    file: 'summary-with-stack.json',
    source: 'summary',
    write: () =>
      `${summaryOf(dumpOf('null-pointer'), {
        reason: 'Load access fault',
        task: 'sensor',
        chip: 'esp32c3',
        firmware_version: '1.0.0',
        log: 'I (1201) network: connected\nW (1377) sensor: no answer from outdoor',
      })}\n`,
  },
  {
    ...OF_SENSOR,
    file: 'summary-with-backtrace.json',
    source: 'summary',
    write: () =>
      `${JSON.stringify({
        reason: 'Load access fault at 0x0000000c',
        task: 'sensor',
        pc: addresses()[0],
        backtrace: addresses(),
        elf_sha256: dumpOf('null-pointer').appElfSha256,
        firmware_version: '1.0.0',
        chip: 'esp32c3',
      })}\n`,
  },
];

function dumpOf(crash: CrashOfThermostat) {
  return openDump(readFileSync(thermostat.dump(crash)));
}

function guru(instead?: string): string {
  const text = printPanic(dumpOf('null-pointer'), 'Load access fault');
  return instead === undefined ? text : text.replace(/\r\nStack memory:[\s\S]*?\r\n\r\n/, `${instead}\r\n`);
}

function watchdogPanic(): string {
  return printPanic(dumpOf('task-watchdog'), 'X').replace(/^Guru.*\r\n/, '');
}

/** The pc and the return addresses. */
function addresses(crash: CrashOfThermostat = 'null-pointer'): string[] {
  const { report } = readCrashDump({
    core: readFileSync(thermostat.dump(crash)),
    elf: readFileSync(SAMPLE_ELF),
  });
  return [...new Set((report.tasks[0] as CrashReport['tasks'][number]).frames.map(({ pc }) => pc))];
}

function backtrace(crash: CrashOfThermostat = 'null-pointer'): string {
  const entries = addresses(crash).map((pc, level) => `${pc}:0x${(0x3fc8_b8e0 + level * 0x20).toString(16)}`);
  return `\r\nBacktrace: ${entries.join(' ')}\r\n`;
}

function upper(address = ''): string {
  return address.slice(2).toUpperCase();
}

function lower(address = ''): string {
  return address.slice(2);
}

function log(level: string, time: number, tag: string, text: string): string {
  return `${level} (${time}) ${tag}: ${text}\r\n`;
}

const PRINT = log('E', 15_031, 'task_wdt', 'Print CPU 0 (current core) registers');
const WATCHDOG = [
  log(
    'E',
    15_031,
    'task_wdt',
    'Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:',
  ),
  log('E', 15_031, 'task_wdt', ' - IDLE (CPU 0)'),
  log('E', 15_031, 'task_wdt', 'Tasks currently running:'),
  log('E', 15_031, 'task_wdt', 'CPU 0: network'),
].join('');
const BOOT_LOG = [
  'ESP-ROM:esp32c3-api1-20210207\r\n',
  'rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n',
  log('I', 246, 'app_init', 'Project name:     thermostat'),
  log('I', 251, 'app_init', 'App version:      1.0.0'),
  log('I', 262, 'app_init', `ELF file SHA256:  ${dumpOf('null-pointer').appElfSha256}...`),
  log('W', 1_377, 'sensor', 'no answer from outdoor'),
].join('');
const NEXT_BOOT =
  'ESP-ROM:esp32c3-api1-20210207\r\nrst:0x3 (RTC_SW_SYS_RST),boot:0xc (SPI_FAST_FLASH_BOOT)\r\n';
const BROKEN_DUMP = [
  '================= CORE DUMP START =================',
  'hAwAAAABBQAAAAAAAAAAAAA*',
  '================= CORE DUMP END =================',
  '',
].join('\r\n');

function withTimes(text: string): string {
  return text
    .split('\r\n')
    .map((line, index) => `12:31:${String(index % 60).padStart(2, '0')}.250 -> ${line}`)
    .join('\r\n');
}
