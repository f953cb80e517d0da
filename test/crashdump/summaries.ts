import { createXtensaUnwinder } from '../../src/crashdump/arch/xtensa/unwinder.js';
import type { Dump } from '../../src/crashdump/core/core.js';
import { followCallers } from '../../src/crashdump/unwind/follow-callers.js';

/** The summary that a device without a core-dump partition would have sent, with what ESP-IDF's summary has. */
export function summaryOf(dump: Dump, extra: Record<string, unknown> = {}): string {
  const [task] = dump.tasks;
  if (task === undefined) throw new Error('the dump has no task');
  const { pc, general } = task.registers;
  const named = (names: readonly string[], first: number) =>
    Object.fromEntries(names.map((name, index) => [name, hex(general[first + index] ?? 0)]));
  const { cause, address } = dump.exception;
  const common = { pc: hex(pc), elf_sha256: dump.appElfSha256 ?? '' };
  if (dump.architecture.name === 'xtensa')
    return JSON.stringify({
      ...common,
      backtrace: calls(dump).slice(0, 16),
      registers: {
        exccause: (cause ?? 0) % 64,
        excvaddr: hex(address ?? 0),
        ...named(
          Array.from({ length: 16 }, (_, index) => `a${index}`),
          0,
        ),
      },
      ...extra,
    });
  const sp = general[2] ?? 0;
  return JSON.stringify({
    ...common,
    registers: {
      mcause: cause ?? 0,
      mtval: hex(address ?? 0),
      ...named(['ra', 'sp'], 1),
      ...named(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'], 10),
    },
    stack: { address: hex(sp), data: Buffer.from(stackFrom(dump, sp)).toString('base64') },
    ...extra,
  });
}

const RING = 1024;

function stackFrom({ memory }: Dump, sp: number): Uint8Array {
  for (let length = RING; length > 0; length -= 4) {
    const bytes = memory.read(sp, length);
    if (bytes !== null) return bytes;
  }
  return new Uint8Array();
}

function calls(dump: Dump): string[] {
  const [task] = dump.tasks;
  if (task === undefined) return [];
  const unwinder = createXtensaUnwinder(task.registers, {
    read: dump.memory.read,
    images: [],
    isRom: () => false,
    exception: dump.exception,
  });
  return followCallers(unwinder, { frames: 64 }).frames.map(({ pc }) => hex(pc - 3));
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
