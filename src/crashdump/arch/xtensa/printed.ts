import { type PrintedPanic, registersNamed } from '../printed-panic.js';
import { CALL_SIZE } from './call-before.js';
import { windowedReturnAddress, windowSize } from './registers.js';

const GENERAL = Array.from({ length: 16 }, (_, index) => `a${index}`);
/** In GDB's order. */
const SPECIAL = ['lbeg', 'lend', 'lcount', 'sar', 'ps'];
const LEVELS = [1, 2, 3, 4, 5, 6, 7];

/** By number; IDF's panic_arch.c. */
const EXCEPTIONS = [
  ...[
    'illegalinstruction',
    'syscall',
    'instructionfetcherror',
    'loadstoreerror',
    'level1interrupt',
    'alloca',
  ],
  ...['integerdividebyzero', 'pcvalue', 'privileged', 'loadstorealignment', '', '', 'instrpdaddrerror'],
  ...[
    'loadstorepifdataerror',
    'instrpifaddrerror',
    'loadstorepifaddrerror',
    'insttlbmiss',
    'insttlbmultihit',
  ],
  ...[
    'instfetchprivilege',
    '',
    'instrfetchprohibited',
    '',
    '',
    '',
    'loadstoretlbmiss',
    'loadstoretlbmultihit',
  ],
  ...['loadstoreprivilege', '', 'loadprohibited', 'storeprohibited', '', ''],
  ...['cp0dis', 'cp1dis', 'cp2dis', 'cp3dis', 'cp4dis', 'cp5dis', 'cp6dis', 'cp7dis'],
];

/** Pseudo reasons by what dumps have for them: EXCCAUSE holds 1 to 7 then, which are causes of others. */
const REASONS: readonly [number, readonly string[]][] = [
  [64, ['unknown reason']],
  [65, ['unhandled debug exception', 'debugexception']],
  [66, ['double exception', 'doubleexception']],
  [67, ['unhandled kernel exception', 'kernelexception']],
  [68, ['coprocessor exception', 'coprocexception']],
  [69, ['interrupt wdt timeout on cpu0', 'intwdtcpu0']],
  [70, ['interrupt wdt timeout on cpu1', 'intwdtcpu1']],
  [71, ['cache error', 'cache disabled but cached memory region accessed', 'cacheerror']],
];

/** The size of a call has been taken from less. */
const BELOW_ZERO = 0x1_0000_0000 - CALL_SIZE;

export const printed: PrintedPanic = {
  printsReturnAddresses: false,
  returnAddressAfter: (call) => (call + CALL_SIZE) >>> 0,
  causes: new Map([
    ...EXCEPTIONS.flatMap((name, number): [string, number][] => (name === '' ? [] : [[name, number]])),
    // As the tables of others spell them.
    ['instfetchprohibited', 20],
    ...REASONS.flatMap(([number, names]) => names.map((name): [string, number] => [name, number])),
  ]),
  cause: 'exccause',
  faultAddress: 'excvaddr',
  pc: 'pc',
  readRegisters: (values) => registersNamed(GENERAL, 'pc', SPECIAL, values),
  readLevels: (values) =>
    LEVELS.flatMap((level): [number, number][] => {
      const value = values.get(`epc${level}`);
      return value === undefined ? [] : [[level, value]];
    }),
  // esp_cpu_process_stack_pc: only where the highest bit is set, and before it subtracts: 0xfffffffd is a call of NULL.
  plainAddress: (address) =>
    address >>> 31 === 1 && address < BELOW_ZERO ? windowedReturnAddress(address) : address,
  returnAddress: ({ general, missing }) => {
    const a0 = missing?.has(0) ? 0 : (general[0] ?? 0);
    return windowSize(a0) === 0 ? null : windowedReturnAddress(a0);
  },
};
