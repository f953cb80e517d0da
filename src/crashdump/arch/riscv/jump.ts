import { type ReadMemory, readWord } from '../../read-memory.js';

/**
 * The address behind a jump to another function: two bytes for `c.j`, four for `jal`, eight for `auipc` and `jalr`
 * (RISC-V unprivileged ISA, "Base Instruction-Length Encoding").
 */
export function endOfJump(address: number, readCode: ReadMemory): number {
  const low = readCode(address, 1)?.[0];
  if (low === undefined) return address + 2;
  if ((low & 0x3) !== 0x3) return address + 2;
  const isPair = (low & 0x7f) === AUIPC && ((readWord(readCode, address + 4) ?? 0) & 0x7f) === JALR;
  return address + (isPair ? 8 : 4);
}

const AUIPC = 0x17;
const JALR = 0x67;
