import type { ReadMemory } from '../../read-memory.js';
import { decode } from './instruction.js';

/**
 * The address behind a jump to another function: two bytes for `c.j`, four for `jal`, eight for `auipc` and `jalr`
 * (RISC-V unprivileged ISA, "Base Instruction-Length Encoding").
 */
export function endOfJump(address: number, readCode: ReadMemory): number {
  const instructionAt = (at: number) => {
    const bytes = readCode(at, 4) ?? readCode(at, 2);
    return bytes && decode(bytes, at);
  };
  const first = instructionAt(address);
  if (first === null) return address + 2;
  const isPair =
    first.kind === 'constant' && first.size === 4 && instructionAt(address + 4)?.kind === 'jumpRegister';
  return address + (isPair ? 8 : first.size);
}
