import { aFirmware, aTask, cfiRow, type TaskSpec, words } from './builders.js';

const CODE = 0x42000000;
const FUNCTION_SIZE = 0x100;
const FRAME_SIZE = 16;
const STACK_POINTER = 0x3fc91e00;

/**
 * A task of a RISC-V chip in the innermost of functions that called each other, and the firmware that contains them.
 * @param names innermost first
 */
export function aCallChain(names: readonly string[], overrides: Partial<TaskSpec> = {}) {
  const symbols = [...new Set(names)].map((name, index) => ({
    name,
    address: CODE + index * FUNCTION_SIZE,
    size: FUNCTION_SIZE,
  }));
  const placeOf = (name: string) => (symbols.find((symbol) => symbol.name === name)?.address ?? 0) + 0x20;
  const stack: Record<number, number> = {};
  names.slice(1).forEach((caller, level) => {
    stack[STACK_POINTER + (level + 1) * FRAME_SIZE - 4] = placeOf(caller);
  });
  const cfi = Object.fromEntries(
    names.map((name, index) => [
      name,
      cfiRow(FRAME_SIZE, index === names.length - 1 ? 'undefined' : 'saved'),
    ]),
  );
  const task = aTask({
    pc: placeOf(names[0] ?? ''),
    registers: { 2: STACK_POINTER },
    stackTop: STACK_POINTER - 160,
    ...overrides,
    stack: { ...stack, ...overrides.stack },
  });
  // The instruction before a return address calls the function that returns there.
  const code = names.slice(1).map((caller, level) => {
    const address = placeOf(caller) - 4;
    return { address, bytes: words(callFrom(address, placeOf(names[level] ?? '') - 0x20)) };
  });
  return { task, firmware: aFirmware({ symbols, cfi, code }), placeOf };
}

/** `jal ra, target` */
function callFrom(address: number, target: number): number {
  const offset = target - address;
  const bits = (from: number, count: number) => (offset >> from) & ((1 << count) - 1);
  return ((bits(20, 1) << 31) | (bits(1, 10) << 21) | (bits(11, 1) << 20) | (bits(12, 8) << 12) | 0xef) >>> 0;
}
