import { describe, expect, it } from 'vitest';
import { chipByName, isRomAddress } from '../../src/crashdump/arch/chips.js';
import { type CrashReport, readCrashDump } from '../../src/crashdump/index.js';
import { missingFiles } from '../support/real-cases.js';
import { type PeerFrame, type RealCase, readCase } from './cases.js';

/** The dumps of one case as Espressif's tool, with GDB and ROM symbols, reported them: an oracle that is not ours. */
const COMPLETE = ['esp32-elf-head', 'esp32c3-elf-head', 'esp32s3-bin-head', 'esp32-bin-idf-v3.3'];
const PARTIAL = ['partial-esp32c2-6e53888', 'partial-esp32s2-6e53888'];

describe.each(COMPLETE)('the real case %s', (name) => {
  const missing = missingFiles(name, ['dump.bin', 'expected_output.txt', 'firmware.elf']);
  describe.skipIf(missing !== '')(`as the peer read it${missing}`, () => {
    const { report, output, real } = missing === '' ? read(name) : nothing();

    it('has the crash, its reason and its registers', () => {
      expectCrash(report, real);
    });

    it('has the functions of the crashed task, in order', () => {
      const expected = withoutRom(real.expected.stack, report).map((frame) => frame.function);
      const frames = report.tasks[0]?.frames.filter((frame) => !frame.inRom) ?? [];

      expect(frames.map((frame) => frame.function)).toEqual(expected);
    });

    it('has every address of every task that GDB shows', () => {
      for (const thread of real.expected.threads) {
        const task = report.tasks.find(({ tcb }) => Number(tcb) === thread.tcb);
        const pcs = task?.frames.map((frame) => Number(frame.pc));

        for (const { pc } of withoutRom(thread.frames, report)) {
          if (pc !== null && !EMPTY_RETURN_ADDRESSES.has(pc)) expect(pcs).toContain(pc);
        }
      }
    });

    it('has the tasks with their priorities and stacks', () => {
      expectTasks(report, real);
    });

    it('prints the dumped memory to the letter', () => {
      const lines = output.split('\n');

      expect(lines).toEqual(expect.arrayContaining(real.expected.memory));
    });

    // The oldest case was printed by a tool of its time, with another layout of threads.
    it.skipIf(name === 'esp32-bin-idf-v3.3')('prints what the peer prints, ROM frames aside', () => {
      const theirs = comparable(real.expected.text, report);
      const ours = comparable(output, report).filter((line) => !OURS_ALONE.test(line));

      expect(ours).toEqual(theirs.filter((line) => !OURS_ALONE.test(line)));
    });

    it('needs no warning', () => {
      expect(report.warnings).toEqual([]);
    });
  });
});

describe.each(PARTIAL)('the real case %s, without its firmware', (name) => {
  const missing = missingFiles(name, ['dump.bin', 'expected_output.txt']);
  describe.skipIf(missing !== '')(`as the peer read it${missing}`, () => {
    const { report, real } = missing === '' ? read(name) : nothing();

    it('has the crash, its reason and its registers', () => {
      expectCrash(report, real);
      expect(report.reason).toMatch(/^Stor(e access fault|eProhibited) at 0x00000005$/);
    });

    it('has the tasks, each at the address where GDB has it', () => {
      for (const thread of real.expected.threads) {
        const task = report.tasks.find(({ tcb }) => Number(tcb) === thread.tcb);
        const [innermost] = thread.frames;

        expect(Number(task?.frames[0]?.pc)).toBe(innermost?.pc);
        expect(task?.priority).toBeGreaterThanOrEqual(0);
      }
    });
  });
});

/** Of tasks that never ran, on RISC-V and Xtensa: GDB shows them as a frame. */
const EMPTY_RETURN_ADDRESSES = new Set([0, 0x40000000]);

/** Lines that say more than the peer does, and the one that it cannot give for a BIN dump. */
const OURS_ALONE = /^(Panic reason|Explanation): |^The task is \w+: it waits for /;

/** Frames lose their number (the peer has ROM frames that need ROM ELFs) and their mark; ROM frames fall out. */
function comparable(text: string, { chip }: CrashReport): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^#\d+ +/, '# ').replace(/ \(recovered\)$/, ''))
    .filter((line) => {
      const pc = /^(?:# |[* ] \d+ +process \d+ )(0x[0-9a-f]+) in/.exec(line)?.[1];
      return pc === undefined || !isRomAddress(chipByName(chip), Number(pc));
    });
}

function read(name: string): { report: CrashReport; output: string; real: RealCase } {
  const real = readCase(name);
  return { ...readCrashDump({ core: real.dump, elf: real.elf, printMemory: true }), real };
}

/** Only reached where the tests that would use it are skipped. */
/** Of a group of tests that is skipped. */
function nothing(): ReturnType<typeof read> {
  return JSON.parse('{}');
}

function expectCrash(report: CrashReport, { expected }: RealCase): void {
  if (expected.crashed) {
    expect(report.crashedTask).toBe(expected.crashed.name);
    expect(Number(report.tasks[0]?.tcb)).toBe(expected.crashed.tcb);
  }
  if (expected.reason !== null) expect(report.reason).toBe(expected.reason);
  const ours = new Map(report.registers.map(({ name, value }) => [name, Number(value)]));
  for (const [name, value] of expected.registers) expect([name, ours.get(name)]).toEqual([name, value]);
}

function expectTasks(report: CrashReport, { expected }: RealCase): void {
  const ours = report.tasks.map(({ tcb, name, priority, stackUsed, stackFree }) => [
    Number(tcb),
    name,
    String(priority),
    `${stackUsed}/${stackFree}`,
  ]);
  const theirs = expected.tasks.map(([tcb, name, priority, stack]) => [
    tcb,
    name,
    priority.split('/')[0],
    stack,
  ]);
  if (theirs.length > 0) expect(ours).toEqual(theirs);
}

/** ROM frames have names only with ROM ELFs, which GDB had and these tests have not. */
function withoutRom(frames: readonly PeerFrame[], { chip }: CrashReport): PeerFrame[] {
  return frames.filter(({ pc }) => pc === null || !isRomAddress(chipByName(chip), pc));
}
