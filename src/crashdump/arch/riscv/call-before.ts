import { type Instruction, isCall } from './instruction.js';

export type InstructionAt = (address: number) => Instruction | null;

export interface CallInstruction {
  address: number;
  instruction: Instruction;
}

/**
 * The call that ends at a return address: `jal` and `jalr` with four bytes, `c.jal` and `c.jalr` with two. The upper half
 * of a `jal` often looks like a `c.jal`; the lower half of a wide call is rarely anything else. So the wide one is tried
 * first.
 */
export function callBefore(returnAddress: number, instructionAt: InstructionAt): CallInstruction | null {
  if (returnAddress % 2 !== 0) return null;
  for (const size of [4, 2]) {
    const address = returnAddress - size;
    const instruction = address < 0 ? null : instructionAt(address);
    if (instruction?.size === size && isCall(instruction)) return { address, instruction };
  }
  return null;
}

/** Where a jump or call leads; null for one through a pointer. `auipc` or `lui` before a `jalr` are one jump with it. */
export function targetOf(
  { address, instruction }: CallInstruction,
  instructionAt: InstructionAt,
): number | null {
  if (instruction.kind === 'jump') return instruction.target;
  if (instruction.kind !== 'jumpRegister') return null;
  const before = instructionAt(address - 4);
  const isPair = before?.kind === 'constant' && before.size === 4 && before.rd === instruction.rs1;
  return isPair ? (before.value + instruction.immediate) >>> 0 : null;
}
