import { readFileSync } from 'node:fs';
import { openContainer } from '../../../src/crashdump/core/container.js';
import { readDump } from '../../../src/crashdump/core/read-dump.js';

/** What a panic finds in a device: registers in the order of the exception frame, and the stack. */
export interface PanicState {
  registers: number[];
  stack: { address: number; bytes: Uint8Array } | null;
}

export const RISCV_REGISTERS = 37;
export const XTENSA_REGISTERS = 24;

/** As `shim_panic` reads it. */
export function panicFile({ registers, stack }: PanicState): Buffer {
  const words = [...registers, ...(stack === null ? [] : [stack.address])];
  const head = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => {
    head.writeUInt32LE(word >>> 0, index * 4);
  });
  return Buffer.concat([head, stack?.bytes ?? Buffer.alloc(0)]);
}

/** The state in which a RISC-V device was when it wrote this dump. */
export function stateOf(dumpPath: string): PanicState {
  const { tasks, memory, exception } = readDump(openContainer(readFileSync(dumpPath)), null);
  const [task] = tasks;
  if (task?.stack == null) throw new Error(`${dumpPath} has no stack`);
  const { pc, general } = task.registers;
  const sp = general[2] ?? 0;
  const bytes = memory.read(sp, task.stack.end - sp);
  if (bytes === null) throw new Error(`${dumpPath} has no memory at its stack pointer`);
  // mepc, x1 to x31, mstatus, mtvec, mcause, mtval, mhartid.
  const machine = [0x1881, 0x40380001, exception.cause ?? 0, exception.address ?? 0, 0];
  return { registers: [pc, ...general.slice(1, 32), ...machine], stack: { address: sp, bytes } };
}

/** A chain of calls on Xtensa's stack: the base save area below each stack pointer has the caller's. */
export function xtensaState(pcs: readonly number[], end: 'whole' | 'damaged' = 'whole'): PanicState {
  const base = 0x3fca0000;
  const frameSize = 64;
  const bytes = Buffer.alloc((pcs.length + 2) * frameSize);
  const spOf = (index: number) => base + 16 + (index + 1) * frameSize - 16;
  pcs.forEach((_, index) => {
    const isLast = index === pcs.length - 1;
    const at = spOf(index) - 16 - base;
    // next_pc of the caller, and its stack pointer.
    bytes.writeUInt32LE(isLast ? (end === 'damaged' ? 0x82001234 : 0) : windowed(pcs[index + 2] ?? 0), at);
    bytes.writeUInt32LE(isLast && end === 'damaged' ? 7 : spOf(index + 1), at + 4);
  });
  const registers = Array.from({ length: XTENSA_REGISTERS }, (_, index) => 0x1000 + index);
  registers[0] = pcs[0] ?? 0;
  registers[2] = windowed(pcs[1] ?? 0);
  registers[3] = spOf(0);
  registers[19] = 28;
  registers[20] = 0x10;
  return { registers, stack: { address: base, bytes } };
}

/** A return address carries the size of the window in its upper two bits; 0 ends the chain. */
const windowed = (pc: number) => (pc === 0 ? 0 : ((pc & 0x3fffffff) | 0x80000000) >>> 0);
