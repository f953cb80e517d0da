import type { CrashText, PrintedCall, PrintedCore } from '../../../src/crashdump/crash-text/crash-text.js';
import {
  type Blanks,
  backtrace,
  bytesOf,
  guru,
  hex,
  logLine,
  NEXT_BOOT,
  named,
  type Pair,
  REBOOT,
  RISCV_NAMES,
  registerDump,
  registersOf,
  SHA,
  STACK_WORDS,
  sha,
  stackMemory,
  XTENSA_NAMES,
} from './printers.js';

/** A text and what is to be read from it. */
export interface Shape {
  name: string;
  text: string;
  expected: CrashText;
  /** The text is JSON by itself, or says where lines end, so that nothing can stand in front of each of its lines. */
  isOneLine?: boolean;
}

export const PAIRS: readonly Pair[] = [
  { pc: 0x400d66b9, sp: 0x3ffb4e90 },
  { pc: 0x400d66f5, sp: 0x3ffb4eb0 },
  { pc: 0x400d1a25, sp: 0x3ffb4ed0 },
  { pc: 0x4008b2d1, sp: 0x3ffb4f00 },
];
export const OTHER_PAIRS: readonly Pair[] = [
  { pc: 0x400d9001, sp: 0x3ffb9e90 },
  { pc: 0x4008b2d1, sp: 0x3ffb9f00 },
];
export const XTENSA = registersOf(XTENSA_NAMES, {
  PC: 0x400d66bc,
  A0: 0x800d66f8,
  A1: 0x3ffb4e90,
  EXCCAUSE: 28,
});
export const RISCV = registersOf(RISCV_NAMES, {
  MEPC: 0x420228c8,
  RA: 0x4202292a,
  SP: 0x3fcad480,
  MCAUSE: 5,
});
const STACK = { address: 0x3fcad480, bytes: bytesOf(STACK_WORDS) };

export function callsOf(pairs: readonly Pair[], kind: PrintedCall['kind'] = 'call'): PrintedCall[] {
  return pairs.map(({ pc, sp }) => ({ pc, sp, kind }));
}

export function aCore(part: Partial<PrintedCore> = {}): PrintedCore {
  return {
    core: null,
    task: null,
    inInterrupt: null,
    registers: new Map(),
    calls: [],
    callsEnd: null,
    stack: [],
    ...part,
  };
}

export function aText(part: Partial<CrashText> = {}): CrashText {
  return {
    source: 'panic_text',
    shape: 'ESP-IDF panic',
    architecture: 'xtensa',
    chip: null,
    details: null,
    exceptionName: null,
    exceptionDetails: [],
    cause: null,
    faultAddress: null,
    watchdogTasks: [],
    cores: [aCore()],
    appElfSha256: null,
    firmwareVersion: null,
    logLines: [],
    isCrash: true,
    warnings: [],
    ...part,
  };
}

const failing = aCore({ core: 0, registers: named(XTENSA), calls: callsOf(PAIRS) });
const aborting = aCore({ core: 0, calls: callsOf(PAIRS) });
const riscvCore = aCore({ core: 0, registers: named(RISCV), stack: [STACK] });

function xtensa(
  reason: string,
  details = '',
  { isUnhandled = true, blanks = 'before' as Blanks, mark = '' } = {},
): string {
  return (
    guru(0, reason, isUnhandled) +
    details +
    '\r\n' +
    registerDump(0, XTENSA) +
    backtrace(PAIRS, { blanks, mark }) +
    sha(SHA.slice(0, 9)) +
    REBOOT
  );
}

function riscv(reason: string, details = ''): string {
  return `${guru(0, reason)}${details}\r\n${registerDump(0, RISCV)}${stackMemory(STACK.address, STACK_WORDS)}\r\n\r\n${sha(SHA.slice(0, 9))}${REBOOT}`;
}

function abort(details: string): string {
  return `\r\n${details}\r\n\r\n${backtrace(PAIRS)}${sha(SHA.slice(0, 9))}${REBOOT}`;
}

const printed = { appElfSha256: SHA.slice(0, 9) };
const exception = { ...printed, exceptionName: 'LoadProhibited', cores: [failing] };
const TWDT =
  logLine(
    'E',
    10_347,
    'task_wdt',
    'Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:',
  ) +
  logLine('E', 10_347, 'task_wdt', ' - IDLE0 (CPU 0)') +
  logLine('E', 10_347, 'task_wdt', ' - IDLE1 (CPU 1)') +
  logLine('E', 10_347, 'task_wdt', 'Tasks currently running:') +
  logLine('E', 10_347, 'task_wdt', 'CPU 0: main') +
  logLine('E', 10_347, 'task_wdt', 'CPU 1: worker');
const watchdog = {
  shape: 'task watchdog' as const,
  details: 'Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:',
  watchdogTasks: ['IDLE0 (CPU 0)', 'IDLE1 (CPU 1)'],
};

export const IDF_SHAPES: readonly Shape[] = [
  { name: 'an Xtensa exception', text: xtensa('LoadProhibited'), expected: aText(exception) },
  {
    name: 'the backtrace of ESP-IDF 4.2, without a blank before the first entry',
    text: xtensa('LoadProhibited', '', { blanks: 'between' }),
    expected: aText(exception),
  },
  {
    name: 'the backtrace of ESP-IDF 4.4, whose first two entries are glued',
    text: xtensa('LoadProhibited', '', { blanks: 'glued' }),
    expected: aText(exception),
  },
  {
    name: 'a corrupted backtrace',
    text: xtensa('LoadProhibited', '', { mark: ' |<-CORRUPTED' }),
    expected: aText({
      ...exception,
      cores: [{ ...failing, callsEnd: 'corrupted' }],
      warnings: [
        {
          code: 'BACKTRACE_CORRUPTED',
          message: 'The device found its stack broken: the last address of the printed backtrace is wrong.',
        },
      ],
    }),
  },
  {
    name: 'a backtrace that the device cut',
    text: xtensa('LoadProhibited', '', { mark: ' |<-CONTINUES' }),
    expected: aText({ ...exception, cores: [{ ...failing, callsEnd: 'continues' }] }),
  },
  {
    name: 'SHA-256 before the backtrace, as ESP-IDF up to 4.1 prints it',
    text:
      guru(0, 'LoadProhibited') + registerDump(0, XTENSA) + sha(SHA.slice(0, 16)) + backtrace(PAIRS) + REBOOT,
    expected: aText({ ...exception, appElfSha256: SHA.slice(0, 16) }),
  },
  {
    name: 'all digits of the SHA-256',
    text: guru(0, 'LoadProhibited') + registerDump(0, XTENSA) + backtrace(PAIRS) + sha(SHA),
    expected: aText({ ...exception, appElfSha256: SHA }),
  },
  {
    name: 'a SHA-256 of zeros, which is none',
    text:
      guru(0, 'LoadProhibited') +
      registerDump(0, XTENSA) +
      sha('0'.repeat(64)) +
      backtrace(PAIRS) +
      REBOOT +
      NEXT_BOOT,
    expected: aText({ ...exception, appElfSha256: null }),
  },
  {
    name: 'the interrupt watchdog, with both cores and an interrupt handler',
    text:
      guru(0, 'Interrupt wdt timeout on CPU0', false) +
      '\r\n' +
      registerDump(0, XTENSA) +
      'Core  0 was running in ISR context:\r\nEPC1    : 0x400d1111  EPC2    : 0x400d2222  EPC3    : 0x400d3333  EPC4    : 0x400d4444\r\n' +
      backtrace(PAIRS) +
      '\r\n' +
      registerDump(1, XTENSA) +
      backtrace(OTHER_PAIRS) +
      sha(SHA.slice(0, 9)) +
      REBOOT,
    expected: aText({
      ...printed,
      exceptionName: 'Interrupt wdt timeout on CPU0',
      cores: [
        {
          ...failing,
          inInterrupt: true,
          registers: new Map([
            ...named(XTENSA),
            ['epc1', 0x400d1111],
            ['epc2', 0x400d2222],
            ['epc3', 0x400d3333],
            ['epc4', 0x400d4444],
          ]),
        },
        aCore({ core: 1, registers: named(XTENSA), calls: callsOf(OTHER_PAIRS) }),
      ],
    }),
  },
  {
    name: 'an illegal instruction with the code around it',
    text: xtensa('IllegalInstruction', 'Memory dump at 0x400d66b8: 36410000 00000000 f01d0000\r\n'),
    expected: aText({
      ...exception,
      exceptionName: 'IllegalInstruction',
      exceptionDetails: ['Memory dump at 0x400d66b8: 36410000 00000000 f01d0000'],
    }),
  },
  {
    name: 'the watchpoint at the end of a stack, which names the task',
    text: xtensa(
      'Unhandled debug exception',
      'Debug exception reason: Stack canary watchpoint triggered (main) \r\n',
      { isUnhandled: false },
    ),
    expected: aText({
      ...exception,
      exceptionName: 'Unhandled debug exception',
      exceptionDetails: ['Debug exception reason: Stack canary watchpoint triggered (main)'],
      cores: [{ ...failing, task: 'main' }],
    }),
  },
  {
    name: 'a cache error of the ESP32-S3',
    text: xtensa(
      'Cache error',
      'Dcache reject error, error address: 0x3c000000, error size: 0x00000001\r\nThe following backtrace may not indicate the code that caused Cache invalid access\r\n',
      { isUnhandled: false },
    ),
    expected: aText({
      ...exception,
      exceptionName: 'Cache error',
      exceptionDetails: [
        'Dcache reject error, error address: 0x3c000000, error size: 0x00000001',
        'The following backtrace may not indicate the code that caused Cache invalid access',
      ],
    }),
  },
  {
    name: 'the cache error of ESP-IDF 4.4',
    text: xtensa('Cache disabled but cached memory region accessed', '', { isUnhandled: false }),
    expected: aText({ ...exception, exceptionName: 'Cache disabled but cached memory region accessed' }),
  },
  {
    name: 'the words of ESP-IDF 1',
    text:
      'Guru Meditation Error of type LoadProhibited occurred on core  0. Exception was unhandled.\r\n' +
      registerDump(null, XTENSA) +
      backtrace(PAIRS) +
      REBOOT,
    expected: aText({ ...exception, appElfSha256: null }),
  },
  {
    name: 'a RISC-V exception',
    text: riscv('Load access fault'),
    expected: aText({
      ...printed,
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      cores: [riscvCore],
    }),
  },
  {
    name: 'the stack guard, which names the task and its stack',
    text: riscv(
      'Stack protection fault',
      '\r\nDetected in task "worker" at 0x42008b1e\r\nStack pointer: 0x3fcad480\r\nStack bounds: 0x3fcad490 - 0x3fcae48c\r\n\r\n',
    ),
    expected: aText({
      ...printed,
      architecture: 'riscv',
      exceptionName: 'Stack protection fault',
      exceptionDetails: [
        'Detected in task "worker" at 0x42008b1e',
        'Stack pointer: 0x3fcad480',
        'Stack bounds: 0x3fcad490 - 0x3fcae48c',
      ],
      cores: [{ ...riscvCore, task: 'worker' }],
    }),
  },
  {
    name: 'the memory protection of the ESP32-C3',
    text: riscv(
      'Memory protection fault',
      '  memory type: IRAM0_SRAM\r\n  faulting address: 0x40380000\r\n  world: 0\r\n  operation type: WRITE\r\n  byte-enables: 0000000f\r\n',
    ),
    expected: aText({
      ...printed,
      architecture: 'riscv',
      exceptionName: 'Memory protection fault',
      exceptionDetails: [
        'memory type: IRAM0_SRAM',
        'faulting address: 0x40380000',
        'world: 0',
        'operation type: WRITE',
        'byte-enables: 0000000f',
      ],
      cores: [riscvCore],
    }),
  },
  {
    name: 'RISC-V with frame pointers, whose entries are return addresses',
    text: `${guru(0, 'Load access fault')}\r\n${registerDump(0, RISCV)}${backtrace([
      { pc: 0x420228c8, sp: 0x3fcad480 },
      { pc: 0x4202292a, sp: 0x3fcad4a0 },
    ]).trimEnd()}\r\n${sha(SHA.slice(0, 9))}${REBOOT}`,
    expected: aText({
      ...printed,
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      cores: [
        aCore({
          core: 0,
          registers: named(RISCV),
          calls: [
            { pc: 0x420228c8, sp: 0x3fcad480, kind: 'fault' },
            { pc: 0x4202292a, sp: 0x3fcad4a0, kind: 'return' },
          ],
        }),
      ],
    }),
  },
  {
    name: 'RISC-V with .eh_frame, which ends at code without it',
    text: `${guru(0, 'Load access fault')}\r\n${registerDump(0, RISCV)}Backtrace: 0x420228c8:0x3fcad480\r\nBacktrace ended abruptly: cannot find DWARF information for instruction at address 0x4202292a\r\n${sha(SHA.slice(0, 9))}${REBOOT}`,
    expected: aText({
      ...printed,
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      cores: [
        aCore({
          core: 0,
          registers: named(RISCV),
          calls: [{ pc: 0x420228c8, sp: 0x3fcad480, kind: 'fault' }],
          callsEnd: 'aborted',
        }),
      ],
    }),
  },
  {
    name: 'the LP core',
    text: `Guru Meditation Error: LP Core panic'ed Load access fault\n${registerDump(0, RISCV).replace('Core  0', 'Core 0').replaceAll('\r\n', '\n')}\n${stackMemory(STACK.address, STACK_WORDS).replaceAll('\r\n', '\n')}\nELF file SHA256: No SHA256 Embedded\n`,
    expected: aText({ architecture: 'riscv', exceptionName: 'Load access fault', cores: [riscvCore] }),
  },
  {
    name: 'ESP-TEE, whose title has no colon',
    text: `Guru Meditation Error: Core 0 panic'ed (Load access fault). Exception was unhandled.\r\nFault addr: 0x00000000 | Origin: U-mode\r\n\r\n${registerDump(0, RISCV)}${stackMemory(STACK.address, STACK_WORDS, 'Stack memory')}${REBOOT}`,
    expected: aText({
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      exceptionDetails: ['Fault addr: 0x00000000 | Origin: U-mode'],
      cores: [riscvCore],
    }),
  },
  {
    name: 'abort()',
    text: abort('abort() was called at PC 0x400d66b9 on core 0'),
    expected: aText({
      ...printed,
      details: 'abort() was called at PC 0x400d66b9 on core 0',
      cores: [aborting],
    }),
  },
  {
    name: 'abort() on RISC-V, with registers',
    text: `\r\nabort() was called at PC 0x4200f2a1 on core 0\r\n\r\n${registerDump(0, RISCV)}${stackMemory(STACK.address, STACK_WORDS)}${sha(SHA.slice(0, 9))}`,
    expected: aText({
      ...printed,
      architecture: 'riscv',
      details: 'abort() was called at PC 0x4200f2a1 on core 0',
      cores: [riscvCore],
    }),
  },
  {
    name: 'an assertion of C++',
    text: abort(
      'assert failed: bool motor::Größe<int>::set(const char*) /home/jürgen/src/größe.cpp:42 (value != nullptr)',
    ),
    expected: aText({
      ...printed,
      details:
        'assert failed: bool motor::Größe<int>::set(const char*) /home/jürgen/src/größe.cpp:42 (value != nullptr)',
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'an assertion without a function, in whose place is a backspace',
    text: abort('assert failed: \b queue.c:1549 (pxQueue)'),
    expected: aText({
      ...printed,
      details: 'assert failed: queue.c:1549 (pxQueue)',
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'a silent assertion',
    text: abort('assert failed: 0x400d66b9'),
    expected: aText({
      ...printed,
      details: 'assert failed: 0x400d66b9',
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'the assertion of ESP-IDF 4.2, which calls abort()',
    text: abort(
      'assertion "xQueue" failed: file "queue.c", line 1549, function: xQueueGenericSend\r\nabort() was called at PC 0x400d66b9 on core 1',
    ).replace('\r\n\r\nBacktrace', '\r\nBacktrace'),
    expected: aText({
      ...printed,
      details: 'assertion "xQueue" failed: file "queue.c", line 1549, function: xQueueGenericSend',
      exceptionDetails: ['abort() was called at PC 0x400d66b9 on core 1'],
      cores: [{ ...aborting, core: 1 }],
    }),
  },
  {
    name: 'a smashed stack',
    text: abort('Stack smashing protect failure!'),
    expected: aText({
      ...printed,
      details: 'Stack smashing protect failure!',
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'a stack overflow that FreeRTOS found',
    text: abort('***ERROR*** A stack overflow in task loop Task has been detected.'),
    expected: aText({
      ...printed,
      details: '***ERROR*** A stack overflow in task loop Task has been detected.',
      cores: [{ ...aborting, core: null, task: 'loop Task' }],
    }),
  },
  {
    name: 'undefined behavior',
    text: abort('Undefined behavior of type out_of_bounds'),
    expected: aText({
      ...printed,
      details: 'Undefined behavior of type out_of_bounds',
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'memory that ran out',
    text: abort('Mem alloc fail. size 0x00001000 caps 0x00001800'),
    expected: aText({
      ...printed,
      details: 'Mem alloc fail. size 0x00001000 caps 0x00001800',
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'KASAN',
    text: `KASAN error: WRITE of size 4 at 0x3ffb8010\n  Bug type: use-after-free (shadow nibble=0xf)\n${abort('KASAN: invalid memory access')}`,
    expected: aText({
      ...printed,
      details: 'KASAN: invalid memory access',
      exceptionDetails: [
        'KASAN error: WRITE of size 4 at 0x3ffb8010',
        'Bug type: use-after-free (shadow nibble=0xf)',
      ],
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'ESP_ERROR_CHECK',
    text: `ESP_ERROR_CHECK failed: esp_err_t 0x105 (ESP_ERR_NOT_FOUND) at 0x400d1a22\nfile: "./main/größe.c" line 17\nfunc: app_main\nexpression: nvs_open("x", 0, &h)\n${abort('abort() was called at PC 0x400d66b9 on core 0')}`,
    expected: aText({
      ...printed,
      details: 'abort() was called at PC 0x400d66b9 on core 0',
      exceptionDetails: [
        'ESP_ERROR_CHECK failed: esp_err_t 0x105 (ESP_ERR_NOT_FOUND) at 0x400d1a22',
        'file: "./main/größe.c" line 17',
        'func: app_main',
        'expression: nvs_open("x", 0, &h)',
      ],
      cores: [aborting],
    }),
  },
  {
    name: 'a corrupt heap',
    text: `CORRUPT HEAP: Bad head at 0x3ffb8000. Expected 0xabba1234 got 0x00000000\n${abort('assert failed: multi_heap_free multi_heap_poisoning.c:259 (head != NULL)')}`,
    expected: aText({
      ...printed,
      details: 'assert failed: multi_heap_free multi_heap_poisoning.c:259 (head != NULL)',
      exceptionDetails: ['CORRUPT HEAP: Bad head at 0x3ffb8000. Expected 0xabba1234 got 0x00000000'],
      cores: [{ ...aborting, core: null }],
    }),
  },
  {
    name: 'the task watchdog with panic, without a Guru line',
    text: `${TWDT}${logLine('E', 10_347, 'task_wdt', 'Aborting.')}${logLine('E', 10_347, 'task_wdt', 'Print CPU 0 (current core) backtrace')}\r\n\r\n${backtrace(PAIRS)}${sha(SHA.slice(0, 9))}${REBOOT}`,
    expected: aText({ ...printed, ...watchdog, cores: [{ ...aborting, task: 'main' }] }),
  },
  {
    name: 'the task watchdog of both cores, of which the second aborts',
    text: `${TWDT}${logLine('E', 10_347, 'task_wdt', 'Print CPU 0 (current core) backtrace')}${backtrace(OTHER_PAIRS)}${logLine('E', 10_348, 'task_wdt', 'Aborting.')}${logLine('E', 10_348, 'task_wdt', 'Print CPU 1 backtrace')}${backtrace(PAIRS)}${sha(SHA.slice(0, 9))}${REBOOT}`,
    expected: aText({
      ...printed,
      ...watchdog,
      cores: [
        { ...aborting, core: 1, task: 'worker' },
        aCore({ core: 0, task: 'main', calls: callsOf(OTHER_PAIRS) }),
      ],
    }),
  },
  {
    name: 'the task watchdog of ESP-IDF 4.4, which calls abort()',
    text: `${TWDT.replaceAll('tasks/users', 'tasks')}${logLine('E', 10_347, 'task_wdt', 'Aborting.')}${abort('abort() was called at PC 0x400d66b9 on core 0')}`,
    expected: aText({
      ...printed,
      ...watchdog,
      details: watchdog.details.replace('tasks/users', 'tasks'),
      exceptionDetails: ['abort() was called at PC 0x400d66b9 on core 0'],
      cores: [{ ...aborting, task: 'main' }],
    }),
  },
  {
    name: 'the task watchdog without panic, after which the device runs on',
    text: `${TWDT}${logLine('E', 10_347, 'task_wdt', 'Print CPU 0 (current core) backtrace')}${backtrace(PAIRS).replaceAll(/0x[0-9a-f]{8}/g, (value) => `0x${value.slice(2).toUpperCase()}`)}${logLine('I', 12_000, 'main', 'still running')}`,
    expected: aText({
      ...watchdog,
      isCrash: false,
      cores: [{ ...aborting, task: 'main' }],
      warnings: [{ code: 'NO_CRASH', message: 'This is no crash: the device printed it and ran on.' }],
    }),
  },
  {
    name: 'a debugger that is attached',
    text: `${guru(0, 'LoadProhibited')}\r\nSetting breakpoint at 0x400d66bc and returning...\r\n`,
    expected: aText({
      architecture: null,
      exceptionName: 'LoadProhibited',
      exceptionDetails: ['Setting breakpoint at 0x400d66bc and returning...'],
      cores: [aCore({ core: 0, calls: [{ pc: 0x400d66bc, sp: null, kind: 'fault' }] })],
    }),
  },
  {
    name: 'the GDB stub behind a panic',
    text: xtensa('LoadProhibited').replace(REBOOT, 'Entering gdb stub now.\r\n$T0b#e6'),
    expected: aText(exception),
  },
  {
    name: 'a panic while the core dump is written',
    text: `${xtensa('LoadProhibited').replace(REBOOT, '')}${logLine('I', 900, 'esp_core_dump_flash', 'Save core dump to flash...')}${guru(0, 'StoreProhibited')}\r\n${registerDump(0, XTENSA)}${backtrace(OTHER_PAIRS)}${sha(SHA.slice(0, 9))}Re-entered core dump! Exception happened during core dump!\r\n${REBOOT}`,
    expected: aText({
      ...exception,
      exceptionDetails: [
        'The panic handler failed: StoreProhibited',
        'Re-entered core dump! Exception happened during core dump!',
      ],
    }),
  },
  {
    name: 'a reset by a watchdog, with the PC before it',
    text: 'ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x7 (TG0WDT_SYS_RST),boot:0xc (SPI_FAST_FLASH_BOOT)\r\nSaved PC:0x40381234\r\nSPIWP:0xee\r\n',
    expected: aText({
      shape: 'ESP-IDF reset',
      architecture: 'riscv',
      chip: 'esp32c3',
      details: 'The task watchdog (timer group 0) reset the chip: rst:0x7 (TG0WDT_SYS_RST)',
      exceptionDetails: ['Saved PC:0x40381234'],
      cores: [aCore({ calls: [{ pc: 0x40381234, sp: null, kind: 'fault' }] })],
    }),
  },
  {
    name: 'a brownout',
    text: `${logLine('E', 500, 'BOD', 'Brownout detector was triggered')}\r\nets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n`,
    expected: aText({
      shape: 'ESP-IDF reset',
      architecture: null,
      details: 'Brownout detector was triggered',
    }),
  },
  {
    name: 'a CPU lockup',
    text: 'ESP-ROM:esp32p4-eco2-20240710\r\nBuild:Jul 10 2024\r\nrst:0x1a (CPU_LOCKUP),boot:0x30f (SPI_FAST_FLASH_BOOT)\r\nCore0 Saved PC:0x4ff01234\r\nCore1 Saved PC:0x4ff05678\r\n',
    expected: aText({
      shape: 'ESP-IDF reset',
      architecture: 'riscv',
      chip: 'esp32p4',
      details:
        'Double exception: an exception in the exception handler locked the CPU up, and it was reset: rst:0x1a (CPU_LOCKUP)',
      exceptionDetails: ['Core0 Saved PC:0x4ff01234', 'Core1 Saved PC:0x4ff05678'],
      cores: [
        aCore({ calls: [0x4ff01234, 0x4ff05678].map((pc) => ({ pc, sp: null, kind: 'fault' as const })) }),
      ],
    }),
  },
  {
    name: 'a backtrace alone',
    text: `Backtrace: ${PAIRS.map(({ pc, sp }) => `0x${hex(pc)}:0x${hex(sp)}`).join(' ')}\r\n`,
    expected: aText({ shape: 'addresses', cores: [aCore({ calls: callsOf(PAIRS) })] }),
  },
];
