import { describe, expect, it } from 'vitest';
import type { FirmwareImage } from '../../src/crashdump/firmware/firmware-image.js';
import { type CrashTask, readCrashDump } from '../../src/crashdump/index.js';
import { aFirmware, aTask, CHIP, cfiRow, elfDump, type TaskSpec } from './builders.js';

const SP = 0x3fc91f80;
const [RA, S0, T0] = [1, 8, 5];

/** Instructions by hand: RISC-V unprivileged ISA. */
const addi = (rd: number, rs1: number, value: number) =>
  ((value << 20) | (rs1 << 15) | (rd << 7) | 0x13) >>> 0;
const sw = (rs2: number, base: number, offset: number) =>
  (((offset >> 5) << 25) | (rs2 << 20) | (base << 15) | (2 << 12) | ((offset & 31) << 7) | 0x23) >>> 0;
const lw = (rd: number, base: number, offset: number) =>
  ((offset << 20) | (base << 15) | (2 << 12) | (rd << 7) | 0x03) >>> 0;
const jal = (rd: number, offset: number) =>
  (((offset & 0x100000) << 11) |
    ((offset & 0x7fe) << 20) |
    ((offset & 0x800) << 9) |
    (offset & 0xff000) |
    (rd << 7) |
    0x6f) >>>
  0;
const jalr = (rd: number, rs1: number) => ((rs1 << 15) | (rd << 7) | 0x67) >>> 0;
const ret = jalr(0, RA);
const nop = addi(0, 0, 0);

interface Spec {
  /** Instructions of each function, at 0x42000000 + 0x100 × its place. */
  [name: string]: (number | Uint8Array)[];
}

const addressOf = (spec: Spec, name: string) => 0x42000000 + Object.keys(spec).indexOf(name) * 0x100;
const vPortTaskWrapper = [jalr(RA, 10), nop];

function firmwareOf(spec: Spec, cfi: Parameters<typeof aFirmware>[0] = {}): FirmwareImage {
  const code = Object.values(spec).map((instructions, index) => ({
    address: 0x42000000 + index * 0x100,
    bytes: Buffer.concat(
      instructions.map((instruction) => {
        if (typeof instruction !== 'number') return Buffer.from(instruction);
        const word = Buffer.alloc(4);
        word.writeUInt32LE(instruction);
        return word;
      }),
    ),
  }));
  const symbols = Object.entries(spec).map(([name, { length }], index) => ({
    name,
    address: 0x42000000 + index * 0x100,
    size: length * 4,
  }));
  return aFirmware({ symbols, code, ...cfi });
}

function crashed(elf: FirmwareImage | null, task: Partial<TaskSpec>): CrashTask {
  const core = elfDump({ machine: 'riscv', tasks: [aTask(task)] }, 'ELF SHA256 v2.1', CHIP.esp32c3);
  const [first] = readCrashDump({ core, elf }).report.tasks;
  if (!first) throw new Error('the report has no task');
  return first;
}

const chain = ({ frames }: CrashTask) => frames.map(({ function: name, trust }) => `${name} ${trust}`);

describe('callers in code without call-frame information', () => {
  const spec: Spec = {
    vPortTaskWrapper,
    outer: [
      addi(2, 2, -32),
      sw(RA, 2, 28),
      sw(S0, 2, 24),
      jal(RA, 0x100 - 12),
      lw(RA, 2, 28),
      addi(2, 2, 32),
      ret,
    ],
    inner: [addi(2, 2, -16), sw(RA, 2, 12), jal(RA, 0x100 - 8), lw(RA, 2, 12), addi(2, 2, 16), ret],
    leaf: [nop, ret],
  };
  const firmware = firmwareOf(spec);
  const inWrapper = addressOf(spec, 'vPortTaskWrapper') + 4;
  const inOuter = addressOf(spec, 'outer') + 16;
  const inInner = addressOf(spec, 'inner') + 12;
  const stack = { [SP + 12]: inOuter, [SP + 16 + 28]: inWrapper };

  it('are found by what the functions did with the stack', () => {
    const task = crashed(firmware, { pc: 0x42000300, registers: { 1: inInner, 2: SP }, stack });

    expect(chain(task)).toEqual([
      'leaf context',
      'inner link',
      'outer prologue',
      'vPortTaskWrapper prologue',
    ]);
    expect(task.backtraceEnd).toBeNull();
  });

  it('are found at each instruction of a prologue and an epilogue', () => {
    const inner = addressOf(spec, 'inner');
    const states = [
      { pc: inner, sp: SP + 16, ra: inOuter },
      { pc: inner + 4, sp: SP, ra: inOuter },
      { pc: inner + 8, sp: SP, ra: inOuter },
      { pc: inner + 12, sp: SP, ra: inner + 12 },
      { pc: inner + 16, sp: SP, ra: inOuter },
      { pc: inner + 20, sp: SP + 16, ra: inOuter },
    ];
    for (const { pc, sp, ra } of states) {
      const { frames } = crashed(firmware, { pc, registers: { 1: ra, 2: sp }, stack });

      expect(frames.map((frame) => frame.function)).toEqual(['inner', 'outer', 'vPortTaskWrapper']);
    }
  });

  it('are not taken from a return address that is left from an earlier call', () => {
    const lost: Spec = { ...spec, stuck: [jal(RA, 0x300 - 0x400), nop, jal(0, 0)] };
    const stuck = addressOf(lost, 'stuck');
    const task = crashed(firmwareOf(lost), { pc: stuck + 8, registers: { 1: stuck + 4, 2: SP } });

    expect(chain(task)).toEqual(['stuck context']);
    expect(task.backtraceEnd).toContain('the return address is not known');
  });

  it('are not believed when their call leads elsewhere', () => {
    const task = crashed(firmware, { pc: 0x42000300, registers: { 1: inOuter, 2: SP }, stack });

    expect(chain(task)).toEqual(['leaf context']);
    expect(task.backtraceEnd).toBe(
      'the return address 0x42000110 does not follow a call of this function (corrupt stack?)',
    );
  });

  it('are believed when the called function jumps on to another', () => {
    const jumping: Spec = { ...spec, hop: [jal(0, 0x300 - 0x400)], starter: [jal(RA, 0x400 - 0x500), nop] };
    const task = crashed(firmwareOf(jumping), {
      pc: 0x42000300,
      registers: { 1: addressOf(jumping, 'starter') + 4, 2: SP },
    });

    expect(chain(task).slice(0, 2)).toEqual(['leaf context', 'starter link']);
  });

  it('are found behind helpers that are called with the other link register', () => {
    const helped: Spec = { ...spec, user: [jal(T0, 0x100), nop, ret], helper: [nop, jalr(0, T0)] };
    const inUser = addressOf(helped, 'user') + 4;
    const task = crashed(firmwareOf(helped), {
      pc: addressOf(helped, 'helper'),
      registers: { 1: inWrapper, 2: SP, 5: inUser },
    });

    expect(chain(task)).toEqual(['helper context', 'user link', 'vPortTaskWrapper prologue']);
  });

  it('are found where Zcmp instructions save and restore registers', () => {
    // cm.push {ra, s0}, -16 and cm.popret {ra, s0}, 16: ra is the lower of the two words.
    const packed: Spec = {
      vPortTaskWrapper,
      leaf: [nop, ret],
      packed: [Buffer.from('52b8', 'hex'), jal(RA, -0x102), Buffer.from('52be', 'hex')],
    };
    const inPacked = addressOf(packed, 'packed') + 6;
    const task = crashed(firmwareOf(packed), {
      pc: addressOf(packed, 'leaf'),
      registers: { 1: inPacked, 2: SP },
      stack: { [SP + 8]: inWrapper },
    });

    expect(chain(task)).toEqual(['leaf context', 'packed link', 'vPortTaskWrapper prologue']);
  });

  it('are shown where the call is the last instruction of its function, and leads to the next', () => {
    const last: Spec = {
      vPortTaskWrapper,
      caller: [...Array<number>(63).fill(nop), jal(RA, 4)],
      stop: [nop, jal(0, -4)],
    };
    const stop = addressOf(last, 'stop');
    const task = crashed(firmwareOf(last), { pc: stop, registers: { 1: stop, 2: SP } });

    expect(chain(task)).toEqual(['stop context', 'caller link']);
    expect(task.backtraceEnd).toContain('the return address is not known');
  });

  it('stay bounded in code that branches without an end', () => {
    const branch = 0x00000263; // beq x0, x0, +4
    const endless = Array.from({ length: 60 }, () => branch);
    const task = crashed(firmwareOf({ vPortTaskWrapper, endless: [...endless, jal(0, 0)] }), {
      pc: 0x42000100,
      registers: { 1: 0x42000104, 2: SP },
    });

    expect(chain(task)).toEqual(['endless context']);
    expect(task.backtraceEnd).not.toBeNull();
  });
});

describe('the end of a RISC-V backtrace', () => {
  const spec: Spec = { vPortTaskWrapper, outer: [jal(RA, 0x100), nop], inner: [nop, nop] };
  const cfi = {
    outer: cfiRow(16, 'saved'),
    inner: cfiRow(16, 'same'),
    vPortTaskWrapper: cfiRow(16, 'undefined'),
  };
  const firmware = firmwareOf(spec, { cfi });
  const end = (elf: FirmwareImage | null, task: Partial<TaskSpec>) => crashed(elf, task).backtraceEnd;
  const registers = { 1: 0x42000104, 2: SP };

  it('is none at the outermost function, and for a task that never ran', () => {
    const whole = { pc: 0x42000200, registers, stack: { [SP + 28]: 0x42000004 } };

    expect(end(firmware, whole)).toBeNull();
    expect(end(firmware, { pc: 0x42000000, registers: { 2: SP } })).toBeNull();
    expect(crashed(firmware, { pc: 0x42000000, registers: { 2: SP } }).frames).toHaveLength(1);
  });

  it('is none where tasks return to in IDF 4', () => {
    const old = firmwareOf(
      { prvTaskExitError: [nop, nop], outer: spec.outer ?? [], inner: spec.inner ?? [] },
      { cfi },
    );
    const task = crashed(old, { pc: 0x42000200, registers, stack: { [SP + 28]: 0x42000000 } });

    expect(chain(task)).toEqual(['inner context', 'outer cfi']);
    expect(task.backtraceEnd).toBeNull();
  });

  it('is none in an interrupt handler, which nobody called, by whatever name', () => {
    const mret = 0x30200073;
    const handler: Spec = {
      ...spec,
      my_vectors: [addi(2, 2, -128), sw(RA, 2, 4), jal(RA, -0x100 - 8), lw(RA, 2, 4), addi(2, 2, 128), mret],
    };
    const inHandler = addressOf(handler, 'my_vectors') + 12;
    const task = crashed(firmwareOf(handler, { cfi }), {
      pc: 0x42000200,
      registers: { 1: inHandler, 2: SP },
      stack: { [SP + 16 + 4]: 0x42000104 },
    });

    expect(chain(task)).toEqual(['inner context', 'my_vectors cfi']);
    expect(task.backtraceEnd).toBeNull();
  });

  it('names the memory that is not in the dump', () => {
    const above = { 1: 0x42000104, 2: 0x3fc92000 - 16 };

    expect(end(firmware, { pc: 0x42000200, registers: above })).toBe(
      'Cannot access memory at address 0x3fc9200c',
    );
  });

  it('names a return address that is none', () => {
    const into = (address: number) => ({ pc: 0x42000200, registers, stack: { [SP + 28]: address } });

    expect(end(firmware, into(0x42000204))).toContain('0x42000204 does not follow a call');
    expect(end(firmware, into(0xa5a5a5a5))).toContain('0xa5a5a5a5 is not in code');
    expect(end(firmware, into(0))).toBe(
      'the return address is 0 before the outermost function (corrupt stack?)',
    );
  });

  it('names the function without call-frame information, the ROM, and the missing firmware', () => {
    const bare = firmwareOf({ ...spec, alone: [jal(0, 0)] }, { symbols: [] });

    expect(end(bare, { pc: 0x42000300, registers: { 1: 0x42000304, 2: SP } })).toBe(
      'no call-frame information in this ELF for the function at 0x42000300',
    );
    expect(end(firmware, { pc: 0x40001234, registers: { 1: 0x40001300, 2: SP } })).toBe(
      'no call-frame information for the ROM function at 0x400012ff',
    );
    expect(end(null, { pc: 0x42000200, registers })).toBe(
      'without a firmware ELF the callers cannot be found',
    );
  });

  it('says that a function lost its return address to a jump into nothing', () => {
    const task = crashed(firmware, { pc: 0, registers: { 1: 0, 2: SP } });

    expect(chain(task)).toEqual(['null context']);
    expect(task.backtraceEnd).toBe('no code is at 0x00000000, and what led there is not known');
  });
});
