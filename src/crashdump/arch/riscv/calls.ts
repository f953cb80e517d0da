import type { ReadMemory } from '../../read-memory.js';
import type { CfiRow } from '../../unwind/cfi-row.js';
import type { Call, CodeOfBuild, Jumps, Link } from '../calls.js';
import type { RegisterSet } from '../registers.js';
import { RA, SP } from './registers.js';

const MAX_LINKS = 64;
/** x5, the second link register (RISC-V unprivileged ISA, table of return-address hints). */
const T0 = 5;

/** RISC-V unprivileged ISA: `jal`, `jalr` with four bytes, `c.jal`, `c.jalr` with two. */
export function callBefore(address: number, code: ReadMemory): Call | null {
  if (address % 2 !== 0 || address < 4) return null;
  const half = halfAt(code, address - 2);
  if (half === null) return null;
  if (isCompressed(half)) {
    if ((half & 0xe003) === 0x2001) return { target: address - 2 + compressedJumpOffset(half) };
    if ((half & 0xf07f) === 0x9002 && (half & 0x0f80) !== 0) return { target: null };
  }
  const word = wordAt(code, address - 4);
  if (word === null || !isLink((word >>> 7) & 31)) return null;
  if ((word & 0x7f) === 0x6f) return { target: (address - 4 + jumpOffset(word)) >>> 0 };
  if ((word & 0x707f) === 0x67) return { target: pairTarget(code, address - 4, word) };
  return null;
}

/** Where execution can go from a function other than by a call or a return. */
export function jumpsOf(start: number, size: number, code: ReadMemory): Jumps {
  const jumps: Jumps = { targets: [], isKnown: true };
  for (let at = start; at < start + size; ) {
    const half = halfAt(code, at);
    if (half === null) return { ...jumps, isKnown: false };
    if (isCompressed(half)) {
      if ((half & 0xe003) === 0xa001) jumps.targets.push(at + compressedJumpOffset(half));
      // c.jr of another register than ra
      if ((half & 0xf07f) === 0x8002 && ((half >>> 7) & 31) > RA) jumps.isKnown = false;
      at += 2;
      continue;
    }
    const word = wordAt(code, at);
    if (word === null) return { ...jumps, isKnown: false };
    const rd = (word >>> 7) & 31;
    if ((word & 0x7f) === 0x6f && rd === 0) jumps.targets.push((at + jumpOffset(word)) >>> 0);
    if ((word & 0x7f) === 0x63) jumps.targets.push((at + branchOffset(word)) >>> 0);
    if ((word & 0x707f) === 0x67 && rd === 0 && ((word >>> 15) & 31) !== RA) {
      const target = pairTarget(code, at, word);
      if (target === null) jumps.isKnown = false;
      else jumps.targets.push(target);
    }
    at += 4;
  }
  return jumps;
}

/**
 * The return addresses by nothing but the build's call-frame information, without a check: those of a wrong build must
 * show as wrong.
 */
export function callChain(start: RegisterSet, read: ReadMemory, build: CodeOfBuild): Link[] {
  const links: Link[] = [];
  let registers: Map<number, number> = new Map(start.general.map((value, index) => [index, value]));
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
        ? wordAt(read, (cfa + rule.offset) >>> 0)
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

/** `auipc rd` before a `jalr` by the same register; null when the target is not in the code. */
function pairTarget(code: ReadMemory, at: number, word: number): number | null {
  const before = wordAt(code, at - 4);
  if (before === null || (before & 0x7f) !== 0x17) return null;
  if (((before >>> 7) & 31) !== ((word >>> 15) & 31)) return null;
  return (at - 4 + (before & 0xfffff000) + ((word | 0) >> 20)) >>> 0;
}

function isLink(register: number): boolean {
  return register === RA || register === T0;
}

function isCompressed(half: number): boolean {
  return (half & 3) !== 3;
}

function jumpOffset(word: number): number {
  return (
    (((word | 0) >> 31) << 20) |
    (word & 0xff000) |
    (((word >>> 20) & 1) << 11) |
    (((word >>> 21) & 0x3ff) << 1)
  );
}

function branchOffset(word: number): number {
  return (
    (((word | 0) >> 31) << 12) |
    (((word >>> 7) & 1) << 11) |
    (((word >>> 25) & 0x3f) << 5) |
    (((word >>> 8) & 0xf) << 1)
  );
}

function compressedJumpOffset(half: number): number {
  const offset =
    (((half >>> 12) & 1) << 11) |
    (((half >>> 11) & 1) << 4) |
    (((half >>> 9) & 3) << 8) |
    (((half >>> 8) & 1) << 10) |
    (((half >>> 7) & 1) << 6) |
    (((half >>> 6) & 1) << 7) |
    (((half >>> 3) & 7) << 1) |
    (((half >>> 2) & 1) << 5);
  return (offset << 20) >> 20;
}

function halfAt(code: ReadMemory, address: number): number | null {
  const bytes = code(address, 2);
  return bytes && (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}

function wordAt(code: ReadMemory, address: number): number | null {
  const bytes = code(address, 4);
  return bytes && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
