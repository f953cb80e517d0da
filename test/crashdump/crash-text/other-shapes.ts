import type { PrintedCall } from '../../../src/crashdump/crash-text/crash-text.js';
import { backtrace, hex, named, RISCV_NAMES, registersOf, XTENSA_NAMES } from './printers.js';
import { aCore, aText, callsOf, OTHER_PAIRS, PAIRS, type Shape } from './shapes.js';

const PC = 0x400d66bc;
const MEPC = 0x420228c8;
const ADDRESSES = PAIRS.map(({ pc }) => pc);

function calls(addresses: readonly number[], kind: PrintedCall['kind']): PrintedCall[] {
  return addresses.map((pc) => ({ pc, sp: null, kind }));
}

function upper(value: number): string {
  return `0x${hex(value).toUpperCase()}`;
}

/** `ESP_LOGE` of ESPHome. */
function esphomeLog(lines: readonly string[], tag = 'esp32.crash'): string {
  return lines.map((line, index) => `[E][${tag}:${221 + index}]: ${line}\r\n`).join('');
}

const CRASH = '*** CRASH DETECTED ON PREVIOUS BOOT ***';
const PANIC = '====================== PANIC ======================';
const ILLEGAL =
  'ESPHome before 2026.8 reports abort(), failed assertions and the task watchdog as an illegal instruction too.';

function entries(addresses: readonly number[], source = 'backtrace', first = 0): string[] {
  return addresses.map((address, index) => `  BT${first + index}: ${upper(address)}  (${source})`);
}

const NUTTX_XTENSA = registersOf(
  ['PC', 'PS', ...XTENSA_NAMES.slice(2, 18), 'SAR', 'CAUSE', 'VADDR', 'LBEG', 'LEND', 'LCNT'],
  { PC, CAUSE: 0x1d },
);
const NUTTX_RISCV = registersOf(
  [
    'EPC',
    'A0',
    'A1',
    'A2',
    'A3',
    'A4',
    'A5',
    'A6',
    'A7',
    'T0',
    'T1',
    'T2',
    'S0',
    'S1',
    'SP',
    'FP',
    'TP',
    'RA',
  ],
  { EPC: MEPC, RA: 0x4202292a },
);
const NUTTX_NAMES: Readonly<Record<string, string>> = {
  CAUSE: 'exccause',
  VADDR: 'excvaddr',
  LCNT: 'lcount',
  EPC: 'mepc',
};

function nuttxRegisters(registers: ReadonlyMap<string, number>): string {
  const cells = [...registers].map(([name, value]) => `${name.padStart(5)}: ${hex(value)}`);
  const lines = Array.from({ length: Math.ceil(cells.length / 4) }, (_, index) =>
    cells.slice(index * 4, index * 4 + 4),
  );
  return lines.map((line) => `up_dump_register: ${line.join(' ')}\r\n`).join('');
}

function nuttxNamed(registers: ReadonlyMap<string, number>): Map<string, number> {
  return new Map(
    [...registers]
      .filter(([name]) => name !== 'FP')
      .map(([name, value]) => [NUTTX_NAMES[name] ?? name.toLowerCase(), value]),
  );
}

const ZEPHYR_RISCV = registersOf(RISCV_NAMES.slice(1, 33), { RA: 0x4202292a });

function zephyrRegisters(): string {
  const registers = [...ZEPHYR_RISCV].map(
    ([name, value]) => `${(name === 'S0/FP' ? 's0' : name.toLowerCase()).padStart(7)}: ${hex(value)}`,
  );
  return registers.map((cell, index) => (index % 2 === 0 ? `E: ${cell}` : ` ${cell}\r\n`)).join('');
}

const TASMOTA = {
  Exception: 29,
  Reason: 'StoreProhibited',
  EPC: hex(PC),
  EXCVADDR: '00000010',
  CallChain: ADDRESSES.map(hex),
};

/** Addresses have no sign by which they could be found among other lines. */
export const ADDRESS_LISTS: readonly Shape[] = [
  {
    name: 'addresses with 0x',
    text: ADDRESSES.map((address) => `0x${hex(address)}`).join(' '),
    expected: aText({
      shape: 'addresses',
      architecture: null,
      cores: [aCore({ calls: calls(ADDRESSES, 'bare') })],
    }),
  },
  {
    name: 'addresses without 0x, one a line',
    text: `${ADDRESSES.map(hex).join('\r\n')}\r\n`,
    expected: aText({
      shape: 'addresses',
      architecture: null,
      cores: [aCore({ calls: calls(ADDRESSES, 'bare') })],
    }),
  },
  {
    name: 'numbered addresses',
    text: ADDRESSES.map((address, index) => `#${index} ${upper(address)}\r\n`).join(''),
    expected: aText({
      shape: 'addresses',
      architecture: null,
      cores: [aCore({ calls: calls(ADDRESSES, 'bare') })],
    }),
  },
  {
    name: 'a backtrace line without stack pointers',
    text: `Backtrace: ${ADDRESSES.map(upper).join(' ')}\r\n`,
    expected: aText({
      shape: 'addresses',
      architecture: null,
      cores: [aCore({ calls: calls(ADDRESSES, 'bare') })],
    }),
  },
  {
    name: 'a command line of addr2line',
    text: `xtensa-esp32-elf-addr2line -pfiaC -e .pio/build/esp32dev/firmware.elf ${ADDRESSES.map((address) => `0x${hex(address)}`).join(' ')}\r\n`,
    expected: aText({
      shape: 'addresses',
      architecture: null,
      cores: [aCore({ calls: calls(ADDRESSES, 'bare') })],
    }),
  },
];

export const OTHER_SHAPES: readonly Shape[] = [
  {
    name: 'ESPHome 2026.3 on Xtensa',
    text: esphomeLog([
      CRASH,
      '  Reason: Fault - StoreProhibited',
      `  PC:  ${upper(PC)}  (fault location)`,
      ...entries(ADDRESSES),
      `Use: addr2line -pfiaC -e firmware.elf ${upper(PC)} ${ADDRESSES.map(upper).join(' ')}`,
    ]),
    expected: aText({
      shape: 'ESPHome crash report',
      exceptionName: 'StoreProhibited',
      exceptionDetails: ['Reason: Fault - StoreProhibited'],
      cores: [aCore({ registers: new Map([['pc', PC]]), calls: calls(ADDRESSES, 'call') })],
    }),
  },
  {
    name: 'ESPHome 2026.7 with both cores, cause and address',
    text: esphomeLog([
      CRASH,
      '  Reason: Interrupt wdt - Interrupt wdt timeout on CPU0 (cause 5)',
      `  PC:  ${upper(PC)}  (fault location)`,
      '  Crashed core: 1',
      '  EXCVADDR: 0x00000010  (faulting address)',
      ...entries(ADDRESSES),
      '  Other core (0) backtrace:',
      ...entries(OTHER_PAIRS.map(({ pc }) => pc)),
      `Use: addr2line -pfiaC -e firmware.elf ${upper(PC)}`,
      `Other core: addr2line -pfiaC -e firmware.elf ${upper(PC)}`,
    ]),
    expected: aText({
      shape: 'ESPHome crash report',
      exceptionName: 'Interrupt wdt timeout on CPU0',
      exceptionDetails: ['Reason: Interrupt wdt - Interrupt wdt timeout on CPU0 (cause 5)'],
      cause: 5,
      faultAddress: 0x10,
      cores: [
        aCore({ core: 1, registers: new Map([['pc', PC]]), calls: calls(ADDRESSES, 'call') }),
        aCore({
          core: 0,
          calls: calls(
            OTHER_PAIRS.map(({ pc }) => pc),
            'call',
          ),
        }),
      ],
    }),
  },
  {
    name: 'ESPHome on RISC-V: MEPC, RA, and words of the stack',
    text: esphomeLog([
      CRASH,
      '  Reason: Fault - Load access fault',
      `  PC:  ${upper(MEPC)}  (fault location)`,
      ...entries([MEPC, 0x4202292a]),
      ...entries([0x42001234, 0x42005678], 'stack scan', 2),
    ]),
    expected: aText({
      shape: 'ESPHome crash report',
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      exceptionDetails: ['Reason: Fault - Load access fault'],
      cores: [
        aCore({
          registers: new Map([['mepc', MEPC]]),
          calls: [
            ...calls([MEPC], 'fault'),
            ...calls([0x4202292a], 'return'),
            ...calls([0x42001234, 0x42005678], 'scan'),
          ],
        }),
      ],
    }),
  },
  {
    name: 'ESPHome before 2026.8, whose illegal instruction is mostly abort()',
    text: esphomeLog([
      CRASH,
      '  Reason: Fault - IllegalInstruction',
      `  PC:  0x80269D78  (fault location)`,
      ...entries([0x40269d75, ...ADDRESSES]),
    ]),
    expected: aText({
      shape: 'ESPHome crash report',
      exceptionName: 'IllegalInstruction',
      exceptionDetails: ['Reason: Fault - IllegalInstruction', ILLEGAL],
      cores: [
        aCore({ registers: new Map([['pc', 0x80269d78]]), calls: calls([0x40269d75, ...ADDRESSES], 'call') }),
      ],
    }),
  },
  {
    name: 'ESPHome since 2026.8, which knows abort()',
    text: esphomeLog([
      CRASH,
      '  Reason: Abort',
      `  PC:  ${upper(PC)}  (fault location)`,
      ...entries([PC - 3, ...ADDRESSES.slice(1)]),
    ]),
    expected: aText({
      shape: 'ESPHome crash report',
      details: 'abort()',
      exceptionName: 'Abort',
      exceptionDetails: ['Reason: Abort'],
      cores: [
        aCore({ registers: new Map([['pc', PC]]), calls: calls([PC - 3, ...ADDRESSES.slice(1)], 'call') }),
      ],
    }),
  },
  {
    name: 'Tasmota on Xtensa',
    text: JSON.stringify({ StatusSTK: TASMOTA }),
    isOneLine: true,
    expected: aText({
      shape: 'Tasmota crash record',
      exceptionName: 'StoreProhibited',
      cause: 29,
      faultAddress: 0x10,
      cores: [aCore({ registers: new Map([['pc', PC]]), calls: calls(ADDRESSES, 'call') })],
    }),
  },
  {
    name: 'Tasmota on RISC-V: RA, and words of the stack',
    text: `MQT: stat/tasmota/STATUS12 = ${JSON.stringify({ StatusSTK: { ...TASMOTA, Exception: 5, Reason: 'Load access fault', EPC: hex(MEPC) } })}\r\n`,
    expected: aText({
      shape: 'Tasmota crash record',
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      cause: 5,
      faultAddress: 0x10,
      cores: [
        aCore({
          registers: new Map([['mepc', MEPC]]),
          calls: [...calls(ADDRESSES.slice(0, 1), 'return'), ...calls(ADDRESSES.slice(1), 'scan')],
        }),
      ],
    }),
  },
  {
    name: 'Rust, esp-backtrace 0.19',
    text: `\u001b[31m\r\n${PANIC}\r\npanicked at src/bin/größe.rs:42:5:\r\nindex out of bounds: the len is 3 but the index is 7\r\n\u001b[0m\r\n\r\nBacktrace:\r\n\r\n${ADDRESSES.map((address) => `0x${address.toString(16)}\r\n`).join('')}`,
    expected: aText({
      shape: 'Rust panic',
      architecture: null,
      details: 'panicked at src/bin/größe.rs:42:5: index out of bounds: the len is 3 but the index is 7',
      cores: [aCore({ calls: calls(ADDRESSES, 'call') })],
    }),
  },
  {
    name: 'Rust before, with functions that espflash has added',
    text: `\r\n\r\n!! A panic occured in 'src/main.rs', at line 42, column 5:\r\nThis is a panic\r\n\r\nBacktrace:\r\n\r\n${ADDRESSES.map((address) => `0x${address.toString(16)}\r\n0x${address.toString(16)} - main\r\n    at src/main.rs:42\r\n`).join('')}`,
    expected: aText({
      shape: 'Rust panic',
      architecture: null,
      details: "A panic occured in 'src/main.rs', at line 42, column 5: This is a panic",
      cores: [aCore({ calls: calls(ADDRESSES, 'call') })],
    }),
  },
  {
    name: 'Rust before, with a printed PanicInfo',
    text: `!! A panic occured in 'src/main.rs', at line 42, column 5\r\n\r\nPanicInfo {\r\n    payload: Any { .. },\r\n    message: Some(\r\n        This is a panic,\r\n    ),\r\n}\r\n\r\nBacktrace:\r\n\r\n0x420019aa\r\n0x4200014c\r\n`,
    expected: aText({
      shape: 'Rust panic',
      architecture: null,
      details: "A panic occured in 'src/main.rs', at line 42, column 5: This is a panic",
      cores: [aCore({ calls: calls([0x420019aa, 0x4200014c], 'call') })],
    }),
  },
  {
    name: 'Rust on RISC-V without frame pointers: the stack in bytes',
    text: `${PANIC}\r\npanicked at src/main.rs:42:5:\r\nboom\r\nSTACKDUMP: 4200a1b2 0400000034120042a0c0c83f\r\n`,
    expected: aText({
      shape: 'Rust panic',
      architecture: 'riscv',
      details: 'panicked at src/main.rs:42:5: boom',
      cores: [
        aCore({
          registers: new Map([
            ['mepc', 0x4200a1b2],
            ['sp', 0x10000000],
          ]),
          stack: [
            { address: 0x10000000, bytes: Uint8Array.from(Buffer.from('0400000034120042a0c0c83f', 'hex')) },
          ],
        }),
      ],
    }),
  },
  {
    name: 'an exception of Rust before 0.18',
    text: `\r\nException 'Load access fault' mepc=0x420228c8, mtval=0x00000010\r\nTrapFrame { ra: 4202292a }\r\n0x4202292a\r\n0x42001234\r\n`,
    expected: aText({
      shape: 'Rust panic',
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      faultAddress: 0x10,
      cores: [
        aCore({ registers: new Map([['mepc', MEPC]]), calls: calls([0x4202292a, 0x42001234], 'call') }),
      ],
    }),
  },
  {
    name: 'an exception of Rust on Xtensa before 0.18, whose return addresses are as they are',
    text: `\r\nException occured 'LoadProhibited'\r\nContext\r\nPC=0x${hex(PC)}       PS=0x00060330\r\nA0=0x800d66f8       A1=0x3ffb4e90\r\nEXCCAUSE=0x0000001c EXCVADDR=0x00000010\r\n0x400d66f8\r\n0x400d1a28\r\n`,
    expected: aText({
      shape: 'Rust panic',
      exceptionName: 'LoadProhibited',
      cores: [
        aCore({
          registers: new Map([
            ...[['pc', PC] as const, ['ps', 0x60330] as const, ['a0', 0x800d66f8] as const],
            ...[['a1', 0x3ffb4e90] as const, ['exccause', 28] as const, ['excvaddr', 0x10] as const],
          ]),
          calls: calls([0x400d66f8, 0x400d1a28], 'return'),
        }),
      ],
    }),
  },
  {
    name: 'an exception of Rust on Xtensa since 0.18, which is a panic',
    text: `${PANIC}\r\npanicked at /esp-hal-1.0.0/src/exception_handler/mod.rs:10:5:\r\n\r\n\r\nException occurred on AppCpu 'LoadProhibited'\r\nContext\r\nPC=0x${hex(PC)}       PS=0x00060330\r\n\r\nBacktrace:\r\n\r\n0x400d66f5\r\n`,
    expected: aText({
      shape: 'Rust panic',
      exceptionName: 'LoadProhibited',
      cores: [
        aCore({
          core: 1,
          registers: new Map([
            ['pc', PC],
            ['ps', 0x60330],
          ]),
          calls: calls([0x400d66f5], 'call'),
        }),
      ],
    }),
  },
  {
    name: 'an exception of Rust on RISC-V since 0.18, which is a panic',
    text: `${PANIC}\r\npanicked at /esp-hal-1.0.0/src/exception_handler/mod.rs:10:5:\r\n[ProCpu] Exception 'Load access fault (5)' mepc=0x420228c8, mtval=0x00000010\r\nTrapFrame { ra: 1107437866 }\r\n\r\nBacktrace:\r\n\r\n0x42029268\r\n`,
    expected: aText({
      shape: 'Rust panic',
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      faultAddress: 0x10,
      cores: [aCore({ core: 0, registers: new Map([['mepc', MEPC]]), calls: calls([0x42029268], 'call') })],
    }),
  },
  {
    name: 'NuttX on Xtensa',
    text: `xtensa_user_panic: User Exception: EXCCAUSE=001d task: backtrace\r\n_assert: Current Version: NuttX  10.4.0 2ae3246e40-dirty Sep 19 2024 14:19:27 xtensa\r\n_assert: Assertion failed user panic: at file: :0 task: backtrace process: backtrace 0x42020c90\r\n${nuttxRegisters(NUTTX_XTENSA)}dump_stack: User Stack:\r\ndump_stack:   base: 0x3fc8d370\r\ndump_stack:   size: 00004048\r\nstack_dump: 0x3fc8e2c0: 00000059 3fc8ca50 00000002 3fc8cefc 82011ba0 3fc8e300 42020c90 00000002\r\nsched_dumpstack: backtrace| 2: 0x${hex(PC)} 0x42012d10\r\nsched_dumpstack: backtrace| 2: 0x42011ba0\r\ndump_tasks:    PID GROUP PRI\r\nsched_dumpstack: backtrace| 0: 0x42008420\r\n`,
    expected: aText({
      shape: 'NuttX panic',
      cause: 0x1d,
      cores: [
        aCore({
          task: 'backtrace',
          registers: nuttxNamed(NUTTX_XTENSA),
          calls: [...calls([PC], 'fault'), ...calls([0x42012d10, 0x42011ba0], 'return')],
          stack: [
            {
              address: 0x3fc8e2c0,
              bytes: words(0x59, 0x3fc8ca50, 2, 0x3fc8cefc, 0x82011ba0, 0x3fc8e300, 0x42020c90, 2),
            },
          ],
        }),
      ],
    }),
  },
  {
    name: 'NuttX on RISC-V',
    text: `riscv_exception: EXCEPTION: Load access fault. MCAUSE: 00000005, EPC: ${hex(MEPC)}, MTVAL: 00000010\r\nriscv_exception: PANIC!!! Exception = 00000005\r\n${nuttxRegisters(NUTTX_RISCV)}sched_dumpstack: backtrace| 2: 0x4202292a\r\n`,
    expected: aText({
      shape: 'NuttX panic',
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      cause: 5,
      faultAddress: 0x10,
      cores: [aCore({ registers: nuttxNamed(NUTTX_RISCV), calls: calls([0x4202292a], 'return') })],
    }),
  },
  {
    name: 'Zephyr on Xtensa',
    text: `[00:00:01.234,000] <err> os:  ** FATAL EXCEPTION\r\n[00:00:01.234,000] <err> os:  ** CPU 0 EXCCAUSE 28 (load prohibited)\r\n[00:00:01.234,000] <err> os:  **  PC 0x${PC.toString(16)} VADDR 0x10\r\n[00:00:01.234,000] <err> os:  **  PS 0x60920\r\n[00:00:01.234,000] <err> os:  **  A0 0x800d66f8  SP 0x3ffb4e90  A2 (nil)  A3 0x3ffb4eb0\r\n${backtrace(PAIRS, { blanks: 'between' })}[00:00:01.234,000] <err> os: >>> ZEPHYR FATAL ERROR 0: CPU exception on CPU 0\r\n[00:00:01.234,000] <err> os: Current thread: 0x3ffb1234 (main)\r\n`,
    expected: aText({
      shape: 'Zephyr panic',
      exceptionName: 'load prohibited',
      exceptionDetails: ['>>> ZEPHYR FATAL ERROR 0: CPU exception on CPU 0'],
      cause: 28,
      cores: [
        aCore({
          core: 0,
          task: 'main',
          registers: new Map([
            ['pc', PC],
            ['excvaddr', 0x10],
            ['ps', 0x60920],
            ['a0', 0x800d66f8],
            ['a1', 0x3ffb4e90],
            ['a2', 0],
            ['a3', 0x3ffb4eb0],
          ]),
          calls: callsOf(PAIRS),
        }),
      ],
    }),
  },
  {
    name: 'Zephyr on RISC-V',
    text: `E:  mcause: 5, Load access fault\r\nE:   mtval: 10\r\n${zephyrRegisters()}E:    mepc: ${hex(MEPC)}\r\nE: mstatus: 00001880\r\nE: \r\nE: call trace:\r\nE:       0: sp: 3fc95000 ra: 4202292a\r\nE: >>> ZEPHYR FATAL ERROR 0: CPU exception on CPU 0\r\nE: Current thread: 0x3fc91234 (shell)\r\n`,
    expected: aText({
      shape: 'Zephyr panic',
      architecture: 'riscv',
      exceptionName: 'Load access fault',
      exceptionDetails: ['>>> ZEPHYR FATAL ERROR 0: CPU exception on CPU 0'],
      cause: 5,
      faultAddress: 0x10,
      cores: [
        aCore({
          core: 0,
          task: 'shell',
          registers: new Map([...named(ZEPHYR_RISCV), ['mepc', MEPC], ['mstatus', 0x1880]]),
          calls: calls([0x4202292a], 'return'),
        }),
      ],
    }),
  },
];

function words(...values: number[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => [value, value >>> 8, value >>> 16, value >>> 24].map((byte) => byte & 0xff)),
  );
}
