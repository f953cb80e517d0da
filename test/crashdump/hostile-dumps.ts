import { type CrashReport, peekDump, readCrashDump, UnreadableDump } from '../../src/crashdump/index.js';
import {
  aFirmware,
  aTask,
  binDump,
  CHIP,
  type CoreSpec,
  cfiRow,
  elfDump,
  elfFile,
  riscvRegisterNote,
  words,
} from './builders.js';

const tasks = [
  aTask({ registers: { 1: 0x42000110, 2: 0x3fc91f80 }, stack: { 1070145436: 0x42000110 } }),
  aTask({ tcb: 0x3fc9a000, name: 'IDLE', stackTop: 0x3fc9b000, stackEnd: 0x3fc9b100 }),
];
export const riscv: CoreSpec = {
  machine: 'riscv',
  tasks,
  panicDetails: 'abort() was called',
  appElfSha256: 'ababababa',
};
const xtensa: CoreSpec = { ...riscv, machine: 'xtensa' };
const firmware = aFirmware({
  symbols: [{ name: 'loop', address: 0x42000000, size: 0x1000 }],
  cfi: { loop: cfiRow(32, 'saved') },
  code: [{ address: 0x42000000, bytes: words(...new Array<number>(1024).fill(0x000080e7)) }],
});
const xtensaFirmware = { ...firmware, machine: 'xtensa' as const };

export const dumps = {
  'ELF of RISC-V': elfDump(riscv, 'ELF SHA256 v2.1', CHIP.esp32c3),
  'ELF of Xtensa': elfDump(xtensa, 'ELF CRC32 v2', CHIP.esp32),
  'BIN of Xtensa': binDump(
    { ...xtensa, segments: [{ address: 0x3fc70000, bytes: words(1, 2) }] },
    'BIN v2.1',
    CHIP.esp32,
  ),
  'BIN v1': binDump(xtensa, 'BIN v1', CHIP.esp32),
};

/** The report, or null when it was refused in the one way that is allowed. */
export function attempt(core: Uint8Array): CrashReport | null {
  try {
    peekDump(core);
    const [report] = [firmware, xtensaFirmware].map(
      (elf) => readCrashDump({ core, elf, printMemory: true }).report,
    );
    return report ?? null;
  } catch (error) {
    if (error instanceof UnreadableDump) return null;
    throw error;
  }
}

export function core(
  segments: { type: number; address: number; bytes: Uint8Array }[],
  options = {},
): Uint8Array {
  return elfFile('riscv', segments, options);
}

export const registers = riscvRegisterNote(aTask());
export const [main = aTask()] = tasks;
