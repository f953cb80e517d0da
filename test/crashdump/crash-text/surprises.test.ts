import { describe, expect, it } from 'vitest';
import type { CrashText } from '../../../src/crashdump/crash-text/crash-text.js';
import { readCrashText } from '../../../src/crashdump/crash-text/read-crash-text.js';
import {
  backtrace,
  guru,
  logLine,
  NEXT_BOOT,
  named,
  REBOOT,
  registerDump,
  SHA,
  STACK_WORDS,
  sha,
  stackMemory,
} from './printers.js';
import { OTHER_PAIRS, PAIRS, RISCV, XTENSA } from './shapes.js';

function read(text: string): CrashText {
  const crash = readCrashText(Buffer.from(text));
  if (crash === null) throw new Error('there is no crash in the text');
  return crash;
}

const PANIC =
  guru(0, 'LoadProhibited') + registerDump(0, XTENSA) + backtrace(PAIRS) + sha(SHA.slice(0, 9)) + REBOOT;
const BOOT = (version: string, digits: string) =>
  `${NEXT_BOOT}${logLine('I', 29, 'boot', 'ESP-IDF v5.4 2nd stage bootloader')}${logLine('I', 300, 'app_init', 'Project name:     sensor')}${logLine('I', 301, 'app_init', `App version:      ${version}`)}${logLine('I', 302, 'app_init', `ELF file SHA256:  ${digits}...`)}`;

describe('what surprises in texts of ESP-IDF', () => {
  it('leaves the first entry of an Xtensa backtrace 3 below the PC, as printed', () => {
    const [core] = read(PANIC).cores;

    expect(core?.registers.get('pc')).toBe(0x400d66bc);
    expect(core?.calls[0]).toEqual({ pc: 0x400d66b9, sp: 0x3ffb4e90, kind: 'call' });
  });

  it('says of the entries of RISC-V that they are return addresses, but for the first', () => {
    const text =
      guru(0, 'Load access fault') +
      registerDump(0, RISCV) +
      backtrace([
        { pc: 0x420228c8, sp: 0x3fcad480 },
        { pc: 0x4202292a, sp: 0x3fcad4a0 },
      ]);

    expect(read(text).cores[0]?.calls.map(({ kind }) => kind)).toEqual(['fault', 'return']);
  });

  it('reads a call of NULL, whose first entry is 3 below 0', () => {
    const text =
      guru(0, 'InstrFetchProhibited') +
      registerDump(0, XTENSA) +
      backtrace([{ pc: 0xfffffffd, sp: 0x3ffb4e90 }, ...PAIRS.slice(1)]);

    expect(read(text).cores[0]?.calls[0]?.pc).toBe(0xfffffffd);
    expect(read(text).warnings).toEqual([]);
  });

  it('takes the cause register of a pseudo exception as printed, and its name', () => {
    const text =
      guru(0, 'Interrupt wdt timeout on CPU0', false) +
      registerDump(0, new Map([...XTENSA, ['EXCCAUSE', 5]])) +
      backtrace(PAIRS);
    const crash = read(text);

    expect(crash.cores[0]?.registers.get('exccause')).toBe(5);
    expect(crash.exceptionName).toBe('Interrupt wdt timeout on CPU0');
    expect(crash.cause).toBeNull();
  });

  it('reads nine digits of the SHA-256, an odd number', () => {
    expect(read(PANIC).appElfSha256).toBe(SHA.slice(0, 9));
  });

  it.each([0x1, 0x3, 0x5, 0xc, 0x15, 0x16])('takes no restart for a crash: rst:0x%x', (number) => {
    const text = `ESP-ROM:esp32s3-20210327\r\nrst:0x${number.toString(16)} (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\nSaved PC:0x40378b1e\r\n${logLine('I', 24, 'boot', 'ready')}`;

    expect(readCrashText(Buffer.from(text))).toBeNull();
  });

  it.each([0x7, 0x8, 0x9, 0xb, 0xd, 0xf, 0x10, 0x12, 0x1a])(
    'takes a reset by a watchdog, a brownout or a lockup for a crash: rst:0x%x',
    (number) => {
      const text = `ESP-ROM:esp32s3-20210327\r\nrst:0x${number.toString(16)} (NAME_OF_ROM),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\nSaved PC:0x40378b1e\r\n`;
      const crash = read(text);

      expect(crash).toMatchObject({ shape: 'ESP-IDF reset', chip: 'esp32s3', isCrash: true });
      expect(crash.details).toContain(`rst:0x${number.toString(16)} (NAME_OF_ROM)`);
      expect(crash.cores[0]?.calls).toEqual([{ pc: 0x40378b1e, sp: null, kind: 'fault' }]);
    },
  );

  it('lets the reset behind a panic end it, and adds only one that cut it', () => {
    const cut = guru(0, 'LoadProhibited') + registerDump(0, XTENSA);

    expect(read(PANIC + NEXT_BOOT).exceptionDetails).toEqual([]);
    expect(
      read(`${cut}ets Jul 29 2019 12:21:46\r\n\r\nrst:0x10 (RTCWDT_RTC_RESET),boot:0x13\r\n`),
    ).toMatchObject({
      exceptionName: 'LoadProhibited',
      exceptionDetails: ['rst:0x10 (RTCWDT_RTC_RESET)'],
    });
  });

  it('takes the reboot directly behind a task watchdog for its panic', () => {
    const watchdog =
      logLine(
        'E',
        9,
        'task_wdt',
        'Task watchdog got triggered. The following tasks did not reset the watchdog in time:',
      ) + logLine('E', 9, 'task_wdt', ' - IDLE0 (CPU 0)');

    expect(read(watchdog + NEXT_BOOT).isCrash).toBe(true);
    expect(read(watchdog + logLine('I', 5000, 'main', 'on').repeat(50) + NEXT_BOOT).isCrash).toBe(false);
  });

  it('takes a backtrace that the application printed for no crash', () => {
    const text =
      logLine('I', 1000, 'main', 'before') + backtrace(PAIRS) + logLine('I', 1010, 'main', 'behind');

    expect(read(text)).toMatchObject({
      shape: 'addresses',
      isCrash: false,
      warnings: [{ code: 'NO_CRASH' }],
    });
    expect(read(text.replace('(1010)', '(10)')).isCrash).toBe(true);
  });

  it('takes a list of all tasks for no crash', () => {
    const text = ['main', 'IDLE0', 'Tmr Svc'].map((name) => `${name}${backtrace(PAIRS)}`).join('');

    expect(read(text)).toMatchObject({
      isCrash: false,
      cores: [{ task: 'main' }, { task: 'IDLE0' }, { task: 'Tmr Svc' }],
    });
  });

  it('takes registers that the application printed for no crash', () => {
    const text = `esp_backtrace_print: Print CPU 0 (current core) registers\n${registerDump(0, RISCV)}Please enable CONFIG_ESP_SYSTEM_USE_FRAME_POINTER option to have a full backtrace.\n`;

    expect(read(text).isCrash).toBe(false);
  });

  it('reads upper-case hexadecimal digits', () => {
    const text = backtrace(PAIRS).replaceAll(/[a-f](?=[0-9a-f]*[: \r])/g, (digit) => digit.toUpperCase());

    expect(read(text).cores[0]?.calls.map(({ pc }) => pc)).toEqual(PAIRS.map(({ pc }) => pc));
  });

  it('takes the words of abort() alone as an address in its call', () => {
    expect(read('abort() was called at PC 0x400d66b9 on core 1\r\n')).toMatchObject({
      cores: [{ core: 1, calls: [{ pc: 0x400d66b9, sp: null, kind: 'call' }] }],
      warnings: [{ code: 'TEXT_CUT' }],
    });
  });

  it('takes ESP_ERROR_CHECK alone for a crash, since it ends the program', () => {
    const line = 'ESP_ERROR_CHECK failed: esp_err_t 0x105 (ESP_ERR_NOT_FOUND) at 0x400d1a22';

    expect(read(`${line}\n`)).toMatchObject({ details: line, isCrash: true });
  });

  it('reads a backtrace from which somebody has removed the stack pointers', () => {
    const text = `${guru(0, 'LoadProhibited')}Backtrace: 0x400d66b9 0x400d66f5\n`;

    expect(read(text).cores[0]?.calls).toEqual(
      [0x400d66b9, 0x400d66f5].map((pc) => ({ pc, sp: null, kind: 'call' })),
    );
  });

  it('keeps the exception when the panic handler fails in the stack memory', () => {
    const text = `${guru(0, 'Load access fault')}\r\n${registerDump(0, RISCV)}${stackMemory(0x3fcad480, STACK_WORDS.slice(0, 16))}${guru(0, 'Load access fault')}\r\n${registerDump(0, new Map([...RISCV, ['MEPC', 0x40381234]]))}Panic handler entered multiple times. Abort panic handling. Rebooting ...\r\n`;
    const crash = read(text);

    expect(crash.cores[0]?.registers).toEqual(named(RISCV));
    expect(crash.cores[0]?.stack[0]?.bytes).toHaveLength(64);
    expect(crash.exceptionDetails[0]).toMatch(/^The panic handler failed: Guru Meditation Error/);
  });

  it('says where Rust stopped a program that runs on ESP-IDF', () => {
    const text = `thread 'main' panicked at src/main.rs:12:5:\r\nabort() was called at PC 0x400d66b9 on core 0\r\n${backtrace(PAIRS)}`;

    expect(read(text)).toMatchObject({
      details: 'abort() was called at PC 0x400d66b9 on core 0',
      exceptionDetails: ["thread 'main' panicked at src/main.rs:12:5:"],
    });
  });

  it('finds the function that returned from its task', () => {
    const text = `${logLine('E', 5, 'FreeRTOS', 'FreeRTOS Task "worker" should not return, Aborting now!')}abort() was called at PC 0x400d66b9 on core 0\r\n${backtrace(PAIRS)}`;

    expect(read(text)).toMatchObject({
      details: 'FreeRTOS Task "worker" should not return, Aborting now!',
      exceptionDetails: ['abort() was called at PC 0x400d66b9 on core 0'],
      cores: [{ core: 0, task: 'worker' }],
    });
  });

  it('reads the text that MicroPython prints before, and its chip', () => {
    const preface =
      'A fatal error occurred. The crash dump printed below may be used to help\r\ndetermine what caused it.\r\n\r\nMPY version : v1.22.2 on 2024-02-22\r\nIDF version : v5.0.4\r\nMachine     : Generic ESP32 module with SPIRAM with ESP32\r\n\r\n';

    expect(read(preface + PANIC)).toMatchObject({ chip: 'esp32', exceptionName: 'LoadProhibited' });
  });
});

describe('several crashes', () => {
  const other =
    guru(1, 'StoreProhibited') +
    registerDump(1, XTENSA) +
    backtrace(OTHER_PAIRS) +
    sha(SHA.slice(0, 9)) +
    REBOOT;

  it('reads the last one, and says how many there are', () => {
    const crash = read(PANIC + NEXT_BOOT + other + NEXT_BOOT);

    expect(crash.exceptionName).toBe('StoreProhibited');
    expect(crash.warnings).toEqual([
      { code: 'SEVERAL_CRASHES', message: 'The text holds 2 crashes; the last one was read.' },
    ]);
  });

  it('reads the last whole one when the last is cut', () => {
    const crash = read(
      PANIC + NEXT_BOOT + guru(1, 'StoreProhibited') + registerDump(1, XTENSA).slice(0, 200),
    );

    expect(crash.exceptionName).toBe('LoadProhibited');
    expect(crash.warnings).toEqual([
      { code: 'SEVERAL_CRASHES', message: 'The text holds 2 crashes; the last whole one was read.' },
    ]);
  });

  it('separates two without a boot between them', () => {
    expect(read(PANIC.replace(REBOOT, '') + other).exceptionName).toBe('StoreProhibited');
  });

  it('prefers a panic to a reset that came later', () => {
    const crash = read(
      `${PANIC}${NEXT_BOOT}${logLine('I', 9, 'main', 'on').repeat(60)}ets Jul 29 2019 12:21:46\r\nrst:0x8 (TG1WDT_SYS_RESET),boot:0x13\r\n`,
    );

    expect(crash.exceptionName).toBe('LoadProhibited');
  });

  it('counts a report of ESPHome that is repeated for each client once', () => {
    const report =
      '[E][esp32.crash:221]: *** CRASH DETECTED ON PREVIOUS BOOT ***\n[E][esp32.crash:224]:   Reason: Abort\n[E][esp32.crash:228]:   PC:  0x400D66BC  (fault location)\n[E][esp32.crash:242]:   BT0: 0x400D66B9  (backtrace)\n';

    expect(read(report.repeat(3)).warnings).toEqual([]);
    expect(read(PANIC + NEXT_BOOT + report)).toMatchObject({ shape: 'ESP-IDF panic', warnings: [] });
  });
});

describe('the log around a crash', () => {
  it('gives the last 64 lines before it, without the prefix of the terminal', () => {
    const text =
      Array.from({ length: 100 }, (_, index) => logLine('I', index, 'main', `line ${index}`)).join('') +
      PANIC;
    const stamped = text
      .trim()
      .split('\r\n')
      .map((line) => `12:34:56.789 > ${line}`)
      .join('\r\n');
    const { logLines } = read(stamped);

    expect(logLines).toHaveLength(64);
    expect(logLines[0]).toBe('I (36) main: line 36');
    expect(logLines.at(-1)).toBe('I (99) main: line 99');
  });

  it('ends where the crash before it ends', () => {
    const { logLines } = read(PANIC + NEXT_BOOT + logLine('I', 1, 'main', 'hello') + PANIC);

    expect(logLines[0]).toBe('ets Jul 29 2019 12:21:46');
    expect(logLines.at(-1)).toBe('I (1) main: hello');
  });

  it('shows control characters', () => {
    expect(read(`bell \u0007 \u009b\r\n${PANIC}`).logLines).toEqual(['bell \\x07 \\x9b']);
  });

  it('takes version, build and chip from the boot that crashed', () => {
    const crash = read(
      BOOT('1.0.0', 'aaaaaaaaa') + BOOT('1.1.0', SHA.slice(0, 16)) + PANIC + BOOT('2.0.0', 'bbbbbbbbb'),
    );

    expect(crash).toMatchObject({ firmwareVersion: '1.1.0', appElfSha256: SHA.slice(0, 16) });
  });

  it('does not take the build of the next boot, which may be another', () => {
    const crash = read(PANIC.replace(/ELF file.*/, '') + BOOT('2.0.0', 'bbbbbbbbb'));

    expect(crash).toMatchObject({ firmwareVersion: null, appElfSha256: null });
  });

  it.each([
    ['ESP-ROM:esp32c6-20220919', 'esp32c6'],
    ['Chip is ESP32-D0WD-V3 (revision v3.1)', 'esp32'],
    ['Chip is ESP32-S3 (QFN56) (revision v0.2)', 'esp32s3'],
    ['esptool.py --chip esp32c61 write_flash', 'esp32c61'],
  ])('knows the chip by "%s"', (line, chip) => {
    expect(read(`${line}\r\n${PANIC}`).chip).toBe(chip);
  });
});
