import { followCallers } from '../../unwind/follow-callers.js';
import { NO_SAVED_PC } from '../../unwind/frame.js';
import { type Architecture, describeCause } from '../architecture.js';
import { NO_EXCEPTION, type RegisterSet } from '../registers.js';
import { callBefore, callChain, jumpsOf } from './calls.js';
import { RISCV_CAUSES } from './causes.js';
import { RISCV_CHIPS } from './chips.js';
import { endOfJump } from './jump.js';
import { printed } from './printed.js';
import {
  completeRegisters,
  findException,
  KEPT_BY_CALLS,
  readRegisterNote,
  readStackFrame,
  SP,
  writeRegisterNote,
} from './registers.js';
import { createRiscvUnwinder } from './unwinder.js';

/** x1 to x31 by their ABI names, in GDB's order. */
const NAMES = [
  ...['ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 'fp', 's1'],
  ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'],
  ...['t3', 't4', 't5', 't6'],
];

/** The 32-bit RISC-V processors: all chips since the esp32c3 except the Xtensa ones. */
export const riscv: Architecture = {
  name: 'riscv',
  elfMachine: 0xf3,
  chips: RISCV_CHIPS,
  stackPointer: SP,
  keptByCalls: KEPT_BY_CALLS,
  // a0 is x10.
  firstArgument: 10,
  showsTailCalls: true,
  causeRegister: 'mcause',
  endOfJump,
  unwindsByCallFrames: true,
  emptyCaller: { pc: 0, end: NO_SAVED_PC },
  causes: RISCV_CAUSES,
  unknownCause: (cause) => describeCause(`Exception 0x${cause.toString(16)}`, 'OTHER'),
  readRegisterNote,
  writeRegisterNote,
  writeExtraRegisters: () => [],
  readStackFrame,
  completeRegisters,
  readExtraRegisters: () => new Map(),
  // The frame is searched for in memory, where its address can be compared.
  readExceptionFrame: () => NO_EXCEPTION,
  findException,
  listRegisters,
  // ebreak, and its compressed form.
  isBreakInstruction: ([a, b, c, d]) =>
    (a === 0x73 && b === 0 && c === 0x10 && d === 0) || (a === 0x02 && b === 0x90),
  registerText: { separator: 'tab', listsException: false, unavailable: null },
  savedByYield: null,
  callBefore,
  jumpsOf,
  callChain,
  printed,
  unwind: (start, sources) => followCallers(createRiscvUnwinder(start, sources), sources.budget),
};

function listRegisters({ pc, general, missing }: RegisterSet): [string, number][] {
  const all = NAMES.map((name, index): [string, number] => [name, general[index + 1] ?? 0]);
  if (missing === undefined) return [...all, ['pc', pc]];
  const known = all.filter((_, index) => !missing.has(index + 1));
  return missing.has('pc') ? known : [...known, ['pc', pc]];
}
