import { type PrintedPanic, registersNamed } from '../printed-panic.js';
import { RISCV_CAUSES } from './causes.js';

/** x0 to x31 as IDF prints them. */
const GENERAL = [
  ...['', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1'],
  ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'],
  ...['t3', 't4', 't5', 't6'],
];

export const printed: PrintedPanic = {
  printsReturnAddresses: true,
  // esp-backtrace subtracts 4, the text of abort() 3; instructions are at even addresses.
  returnAddressAfter: (call) => ((call + 4) & ~1) >>> 0,
  causes: new Map([
    ...[...RISCV_CAUSES].map(([number, { name }]): [string, number] => [name.toLowerCase(), number]),
    ['interrupt wdt timeout on cpu0', 24],
    ['interrupt wdt timeout on cpu1', 0x1018],
  ]),
  cause: 'mcause',
  faultAddress: 'mtval',
  pc: 'mepc',
  readRegisters: (values) => registersNamed(GENERAL, 'mepc', [], values),
  readLevels: () => [],
  plainAddress: (address) => address,
  returnAddress: () => null,
};
