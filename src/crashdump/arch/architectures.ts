import type { Architecture, Cause } from './architecture.js';
import { riscv } from './riscv/riscv.js';
import { xtensa } from './xtensa/xtensa.js';

/** To add an architecture, add an entry here and a folder beside this file. */
export const ARCHITECTURES: readonly Architecture[] = [xtensa, riscv];

/** The architecture of the chips that existed when the BIN format was made; used for a BIN dump of an unknown chip. */
export const FIRST_ARCHITECTURE = xtensa;

/** @param machine `e_machine` of an ELF header */
export function architectureOfMachine(machine: number): Architecture | null {
  return ARCHITECTURES.find(({ elfMachine }) => elfMachine === machine) ?? null;
}

/** The meaning of a cause register of this architecture. */
export function causeOf({ causes, unknownCause }: Architecture, cause: number): Cause {
  return causes.get(cause) ?? unknownCause(cause);
}
