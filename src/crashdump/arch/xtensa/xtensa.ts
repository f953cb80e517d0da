import { followCallers } from '../../unwind/follow-callers.js';
import type { Architecture } from '../architecture.js';
import type { ExceptionRegisters, RegisterSet } from '../registers.js';
import { callBefore } from './call-before.js';
import { callChain, jumpsOf } from './calls.js';
import { unknownXtensaCause, XTENSA_CAUSES } from './causes.js';
import { XTENSA_CHIPS } from './chips.js';
import { printed } from './printed.js';
import {
  exceptionInNote,
  readExceptionFrame,
  readExtraRegisters,
  readRegisterNote,
  readStackFrame,
  windowedReturnAddress,
  writeExtraRegisters,
  writeRegisterNote,
} from './registers.js';
import { createXtensaUnwinder, STACK_POINTER } from './unwinder.js';

/** GDB lists these for every Xtensa chip; core dumps do not contain them. */
const UNAVAILABLE = [
  ...['threadptr', 'br', 'scompare1', 'acclo', 'acchi', 'm0', 'm1', 'm2', 'm3', 'expstate'],
  ...['f64r_lo', 'f64r_hi', 'f64s', 'fcr', 'fsr'],
];

/** The processors of esp32, esp32s2 and esp32s3, with the windowed ABI. */
export const xtensa: Architecture = {
  name: 'xtensa',
  elfMachine: 0x5e,
  chips: XTENSA_CHIPS,
  stackPointer: STACK_POINTER,
  keptByCalls: null,
  // a2 of the callee's window.
  firstArgument: 2,
  showsTailCalls: false,
  causeRegister: 'exccause',
  // `j` and `jx`.
  endOfJump: (address) => address + 3,
  unwindsByCallFrames: false,
  emptyCaller: { pc: 0x40000000, end: null },
  causes: XTENSA_CAUSES,
  unknownCause: unknownXtensaCause,
  readRegisterNote,
  writeRegisterNote,
  writeExtraRegisters,
  readStackFrame,
  completeRegisters: (registers) => registers,
  readExtraRegisters,
  readExceptionFrame,
  findException: ({ extra }) => (extra === null ? null : exceptionInNote(extra)),
  listRegisters,
  registerText: {
    separator: 'column',
    listsException: true,
    unavailable: { before: 'a0', names: UNAVAILABLE },
  },
  // BREAK, and BREAK.N of the density option.
  isBreakInstruction: ([a = 0, b = 0, c]) =>
    ((a & 0xf) === 0 && b >>> 4 === 4 && c === 0) || (a === 0x2d && b >>> 4 === 0xf),
  // XtSolFrame; the others are in the register windows on the stack.
  savedByYield: ['pc', 'ps', 'a0', 'a1', 'a2', 'a3'],
  callBefore,
  jumpsOf,
  callChain,
  printed,
  unwind: (start, sources) => followCallers(createXtensaUnwinder(start, sources), sources.budget),
};

function listRegisters(
  { pc, general, special, missing }: RegisterSet,
  exception: ExceptionRegisters,
  format: string,
): [string, number][] {
  return [
    ...exceptionRegisters(exception, format),
    ...(missing?.has('pc') ? [] : ([['pc', pc]] satisfies [string, number][])),
    ...special,
    ...general.flatMap((value, index): [string, number][] =>
      missing?.has(index) ? [] : [[`a${index}`, shownValue(value, index, format)]],
    ),
  ];
}

/** For BIN v1 dumps the peer of that time printed the target of a0, without the call size in its top bits. */
function shownValue(value: number, index: number, format: string): number {
  return index === 0 && format === 'BIN v1' && value !== 0 ? windowedReturnAddress(value) : value;
}

/** For BIN v2 dumps, which have no EPC and EPS registers, the peer lists EPC1 to EPC7 and EPS2 to EPS7 as zeros. */
const NO_LEVELS = (first: number): [number, number][] =>
  Array.from({ length: 8 - first }, (_, index) => [first + index, 0]);

function exceptionRegisters(exception: ExceptionRegisters, format: string): [string, number][] {
  const list: [string, number][] = [];
  if (exception.cause !== null) list.push(['exccause', exception.cause]);
  if (exception.address !== null) list.push(['excvaddr', exception.address]);
  const isBin = format.startsWith('BIN v2');
  for (const [level, value] of isBin ? NO_LEVELS(1) : exception.epc) list.push([`epc${level}`, value]);
  for (const [level, value] of isBin ? NO_LEVELS(2) : exception.eps) list.push([`eps${level}`, value]);
  return list;
}
