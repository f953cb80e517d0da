/** The part of RV32IC (and Zcmp) that moves the stack pointer, the return address and the flow of execution. */

import { RA, SP } from './registers.js';

export type Instruction = { size: 2 | 4 } & Operation;

export type Operation =
  /** rd = rs1 + imm; also `li` and `mv`. */
  | { kind: 'addImmediate'; rd: number; rs1: number; immediate: number }
  | { kind: 'add' | 'subtract'; rd: number; rs1: number; rs2: number }
  /** `lui`, or `auipc` with its result. */
  | { kind: 'constant'; rd: number; value: number; relative: boolean }
  | { kind: 'loadWord'; rd: number; rs1: number; immediate: number }
  | { kind: 'storeWord'; rs1: number; rs2: number; immediate: number }
  | { kind: 'branch'; target: number }
  | { kind: 'jump'; rd: number; target: number }
  | { kind: 'jumpRegister'; rd: number; rs1: number; immediate: number }
  /** cm.push, and cm.pop with or without a return: the registers, that at the lowest address first. */
  | { kind: 'push' | 'pop' | 'popReturn'; registers: readonly number[]; adjustment: number }
  /** `mret`, `sret`: only a handler of interrupts and exceptions has one. */
  | { kind: 'trapReturn' }
  /** Nothing behind it is executed: `ebreak`, what is no instruction. */
  | { kind: 'stop' }
  /** Anything else; it may write one register. */
  | { kind: 'other'; rd: number | null };

/** x1 and x5: a jump that writes one of them is a call (RISC-V unprivileged ISA, table of return-address hints). */
export function isLinkRegister(register: number): boolean {
  return register === RA || register === 5;
}

export function isCall(instruction: Instruction): boolean {
  return (
    (instruction.kind === 'jump' || instruction.kind === 'jumpRegister') && isLinkRegister(instruction.rd)
  );
}

/** @param bytes two or four, from `address` on; null when they are too few for the instruction */
export function decode(bytes: Uint8Array, address: number): Instruction | null {
  const low = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  if ((low & 3) !== 3) return { size: 2, ...decodeCompressed(low, address) };
  if (bytes.length < 4) return null;
  const word = (low | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0;
  return { size: 4, ...decodeWide(word, address) };
}

function decodeWide(word: number, address: number): Operation {
  const rd = (word >>> 7) & 31;
  const function3 = (word >>> 12) & 7;
  const rs1 = (word >>> 15) & 31;
  const rs2 = (word >>> 20) & 31;
  const immediate = (word | 0) >> 20;
  switch (word & 0x7f) {
    case 0x13:
      return function3 === 0 ? { kind: 'addImmediate', rd, rs1, immediate } : { kind: 'other', rd };
    case 0x33: {
      const function7 = word >>> 25;
      if (function3 === 0 && function7 === 0) return { kind: 'add', rd, rs1, rs2 };
      if (function3 === 0 && function7 === 0x20) return { kind: 'subtract', rd, rs1, rs2 };
      return { kind: 'other', rd };
    }
    case 0x37:
      return { kind: 'constant', rd, value: (word & 0xfffff000) >>> 0, relative: false };
    case 0x17:
      return { kind: 'constant', rd, value: (address + (word & 0xfffff000)) >>> 0, relative: true };
    case 0x03:
      return function3 === 2 ? { kind: 'loadWord', rd, rs1, immediate } : { kind: 'other', rd };
    case 0x23:
      return function3 === 2
        ? { kind: 'storeWord', rs1, rs2, immediate: (immediate & ~31) | rd }
        : { kind: 'other', rd: null };
    case 0x63:
      return { kind: 'branch', target: (address + branchOffset(word)) >>> 0 };
    case 0x6f:
      return { kind: 'jump', rd, target: (address + jumpOffset(word)) >>> 0 };
    case 0x67:
      return function3 === 0 ? { kind: 'jumpRegister', rd, rs1, immediate } : { kind: 'stop' };
    case 0x73:
      return decodeSystem(word, rd, function3);
    case 0x2f:
      return { kind: 'other', rd };
    case 0x53:
      // Comparison, conversion to integer, move to integer; the others write a floating-point register.
      return { kind: 'other', rd: [0x50, 0x60, 0x70].includes((word >>> 25) & 0x7c) ? rd : null };
    default:
      return word === 0xffffffff ? { kind: 'stop' } : { kind: 'other', rd: null };
  }
}

/** `ecall` and `wfi` go on; `ebreak` does not. */
function decodeSystem(word: number, rd: number, function3: number): Operation {
  if (function3 !== 0) return { kind: 'other', rd };
  if (word === 0x30200073 || word === 0x10200073) return { kind: 'trapReturn' };
  const isGoingOn = word === 0x00000073 || word === 0x10500073;
  return isGoingOn ? { kind: 'other', rd: null } : { kind: 'stop' };
}

function branchOffset(word: number): number {
  const sign = (word | 0) >> 31;
  return (
    (sign << 12) | (((word >>> 7) & 1) << 11) | (((word >>> 25) & 0x3f) << 5) | (((word >>> 8) & 0xf) << 1)
  );
}

function jumpOffset(word: number): number {
  const sign = (word | 0) >> 31;
  return (sign << 20) | (word & 0x000ff000) | (((word >>> 20) & 1) << 11) | (((word >>> 21) & 0x3ff) << 1);
}

function decodeCompressed(half: number, address: number): Operation {
  const function3 = half >>> 13;
  const full = (half >>> 7) & 31;
  const second = (half >>> 2) & 31;
  /** x8 to x15 */
  const shortHigh = 8 + ((half >>> 7) & 7);
  const shortLow = 8 + ((half >>> 2) & 7);
  const immediate6 = signed(((half >>> 7) & 0x20) | second, 6);
  switch (((half & 3) << 3) | function3) {
    case 0o00:
      // c.addi4spn; all zeros is no instruction.
      return half === 0
        ? { kind: 'stop' }
        : {
            kind: 'addImmediate',
            rd: shortLow,
            rs1: SP,
            immediate:
              (((half >>> 11) & 3) << 4) |
              (((half >>> 7) & 0xf) << 6) |
              (((half >>> 6) & 1) << 2) |
              (((half >>> 5) & 1) << 3),
          };
    case 0o02:
      return { kind: 'loadWord', rd: shortLow, rs1: shortHigh, immediate: shortWordOffset(half) };
    case 0o06:
      return { kind: 'storeWord', rs2: shortLow, rs1: shortHigh, immediate: shortWordOffset(half) };
    case 0o04:
      // Zcb: loads of bytes and half words; its stores write no register.
      return { kind: 'other', rd: (half & 0x0800) === 0 ? shortLow : null };
    case 0o10:
      return { kind: 'addImmediate', rd: full, rs1: full, immediate: immediate6 };
    case 0o11:
      return { kind: 'jump', rd: RA, target: (address + compressedJumpOffset(half)) >>> 0 };
    case 0o12:
      return { kind: 'addImmediate', rd: full, rs1: 0, immediate: immediate6 };
    case 0o13:
      if (full !== SP)
        return { kind: 'constant', rd: full, value: (immediate6 << 12) >>> 0, relative: false };
      return { kind: 'addImmediate', rd: SP, rs1: SP, immediate: stackAdjustment(half) };
    case 0o14:
      return (half & 0x0c00) === 0x0c00 && (half & 0x1060) === 0
        ? { kind: 'subtract', rd: shortHigh, rs1: shortHigh, rs2: shortLow }
        : { kind: 'other', rd: shortHigh };
    case 0o15:
      return { kind: 'jump', rd: 0, target: (address + compressedJumpOffset(half)) >>> 0 };
    case 0o16:
    case 0o17:
      return { kind: 'branch', target: (address + compressedBranchOffset(half)) >>> 0 };
    case 0o20:
      return { kind: 'other', rd: full };
    case 0o22: {
      const immediate = ((half >>> 7) & 0x20) | (((half >>> 4) & 7) << 2) | (((half >>> 2) & 3) << 6);
      return { kind: 'loadWord', rd: full, rs1: SP, immediate };
    }
    case 0o24:
      return decodeRegisterOperation(half, full, second);
    case 0o25:
      return decodePushOrPop(half);
    case 0o26: {
      const immediate = (((half >>> 9) & 0xf) << 2) | (((half >>> 7) & 3) << 6);
      return { kind: 'storeWord', rs1: SP, rs2: second, immediate };
    }
    default:
      return { kind: 'other', rd: null };
  }
}

/** c.jr, c.mv, c.ebreak, c.jalr, c.add */
function decodeRegisterOperation(half: number, full: number, second: number): Operation {
  const isUpper = (half & 0x1000) !== 0;
  if (second === 0) {
    if (full === 0) return { kind: 'stop' };
    return { kind: 'jumpRegister', rd: isUpper ? RA : 0, rs1: full, immediate: 0 };
  }
  return isUpper
    ? { kind: 'add', rd: full, rs1: full, rs2: second }
    : { kind: 'addImmediate', rd: full, rs1: second, immediate: 0 };
}

/** Zcmp: ra, then s0 to s11 as many as the list names, the last one directly below the old stack pointer. */
function decodePushOrPop(half: number): Operation {
  const list = (half >>> 4) & 15;
  const kinds: Record<number, 'push' | 'pop' | 'popReturn'> = {
    24: 'push',
    26: 'pop',
    28: 'popReturn',
    30: 'popReturn',
  };
  const kind = kinds[(half >>> 8) & 31];
  if (kind === undefined || list < 4) return { kind: 'other', rd: null };
  const saved = [RA, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
  const registers = saved.slice(0, list === 15 ? 13 : list - 3);
  const adjustment = Math.ceil(registers.length / 4) * 16 + ((half >>> 2) & 3) * 16;
  return { kind, registers, adjustment };
}

function shortWordOffset(half: number): number {
  return (((half >>> 10) & 7) << 3) | (((half >>> 6) & 1) << 2) | (((half >>> 5) & 1) << 6);
}

function stackAdjustment(half: number): number {
  const bits =
    (((half >>> 12) & 1) << 9) |
    (((half >>> 6) & 1) << 4) |
    (((half >>> 5) & 1) << 6) |
    (((half >>> 3) & 3) << 7) |
    (((half >>> 2) & 1) << 5);
  return signed(bits, 10);
}

function compressedJumpOffset(half: number): number {
  const bits =
    (((half >>> 12) & 1) << 11) |
    (((half >>> 11) & 1) << 4) |
    (((half >>> 9) & 3) << 8) |
    (((half >>> 8) & 1) << 10) |
    (((half >>> 7) & 1) << 6) |
    (((half >>> 6) & 1) << 7) |
    (((half >>> 3) & 7) << 1) |
    (((half >>> 2) & 1) << 5);
  return signed(bits, 12);
}

function compressedBranchOffset(half: number): number {
  const bits =
    (((half >>> 12) & 1) << 8) |
    (((half >>> 10) & 3) << 3) |
    (((half >>> 5) & 3) << 6) |
    (((half >>> 3) & 3) << 1) |
    (((half >>> 2) & 1) << 5);
  return signed(bits, 9);
}

function signed(bits: number, width: number): number {
  return (bits << (32 - width)) >> (32 - width);
}
