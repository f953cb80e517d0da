import type { Architecture, Cause } from './architecture.js';
import { riscv } from './riscv/riscv.js';
import { xtensa } from './xtensa/xtensa.js';

/** A further architecture is an entry here and a folder beside this file. */
export const ARCHITECTURES: readonly Architecture[] = [xtensa, riscv];

/** Of the chips that there were when the BIN format was made: how one with an unknown chip id is read. */
export const FIRST_ARCHITECTURE = xtensa;

/** @param machine `e_machine` of an ELF header */
export function architectureOfMachine(machine: number): Architecture | null {
  return ARCHITECTURES.find(({ elfMachine }) => elfMachine === machine) ?? null;
}

/** What a cause register of this architecture means. */
export function causeOf({ causes, unknownCause }: Architecture, cause: number): Cause {
  return causes.get(cause) ?? unknownCause(cause);
}
