import { type ReadMemory, readWord } from '../../read-memory.js';
import type { CfiRow } from '../../unwind/cfi-row.js';
import type { Call, CodeOfBuild, Jumps, Link } from '../calls.js';
import { knownRegisters, type RegisterSet } from '../registers.js';
import { callBefore as findCall, type InstructionAt, targetOf } from './call-before.js';
import { decode, type Instruction } from './instruction.js';
import { RA, SP } from './registers.js';

const MAX_LINKS = 64;

/** The call instruction directly before a return address; null when there is none. */
export function callBefore(returnAddress: number, code: ReadMemory): Call | null {
  const instructionAt = decoderOf(code);
  const call = findCall(returnAddress, instructionAt);
  return call && { target: targetOf(call, instructionAt) };
}

/** Where execution can go from a function other than by a call or a return. */
export function jumpsOf(start: number, size: number, code: ReadMemory): Jumps {
  const instructionAt = decoderOf(code);
  const jumps: Jumps = { targets: [], isKnown: true };
  for (let address = start; address < start + size; ) {
    const instruction = instructionAt(address);
    if (instruction === null) return { ...jumps, isKnown: false };
    if (instruction.kind === 'branch') jumps.targets.push(instruction.target);
    if (isJump(instruction)) {
      const target = targetOf({ address, instruction }, instructionAt);
      if (target === null) jumps.isKnown = false;
      else jumps.targets.push(target);
    }
    address += instruction.size;
  }
  return jumps;
}

/**
 * The return addresses by nothing but the build's call-frame information, without a check: those of a wrong build must
 * show as wrong.
 */
export function callChain(start: RegisterSet, read: ReadMemory, build: CodeOfBuild): Link[] {
  const links: Link[] = [];
  let registers = knownRegisters(start);
  let { pc } = start;
  while (links.length < MAX_LINKS) {
    const row = build.cfiAt(links.length === 0 ? pc : pc - 1);
    if (row === null) {
      // A jump to anywhere, or a function without call-frame information that calls nothing.
      const ra = links.length === 0 ? registers.get(RA) : undefined;
      if (ra === undefined || ra === 0) return links;
      links.push({ pc, returnAddress: ra, size: null, mayBeStale: true });
      pc = ra;
      continue;
    }
    const caller = callerBy(row, registers, read);
    if (caller === null || caller.pc === 0) return links;
    links.push({ pc: links.length === 0 ? pc : pc - 1, returnAddress: caller.pc, size: null });
    const hasMoved = (caller.registers.get(SP) ?? 0) > (registers.get(SP) ?? 0);
    if (!hasMoved && links.length > 1) return links;
    ({ pc, registers } = caller);
  }
  return links;
}

function callerBy(row: CfiRow, registers: ReadonlyMap<number, number>, read: ReadMemory) {
  const base = registers.get(row.cfa.register);
  if (base === undefined) return null;
  const cfa = (base + row.cfa.offset) >>> 0;
  const restored = new Map(registers);
  for (const [register, rule] of row.rules) {
    const value =
      rule.kind === 'offset'
        ? readWord(read, (cfa + rule.offset) >>> 0)
        : rule.kind === 'same'
          ? (registers.get(register) ?? null)
          : null;
    if (value === null) restored.delete(register);
    else restored.set(register, value);
  }
  restored.set(SP, cfa);
  const pc = restored.get(row.returnAddressRegister);
  return pc === undefined ? null : { pc, registers: restored };
}

function decoderOf(code: ReadMemory): InstructionAt {
  return (address) => {
    const bytes = code(address, 4) ?? code(address, 2);
    return bytes && decode(bytes, address);
  };
}

/** Neither a call nor a return. */
function isJump(instruction: Instruction): boolean {
  if (instruction.kind === 'jump') return instruction.rd === 0;
  return instruction.kind === 'jumpRegister' && instruction.rd === 0 && instruction.rs1 !== RA;
}
