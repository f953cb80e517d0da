import { describe, expect, it } from 'vitest';
import {
  type CrashReport,
  type CrashTask,
  type FirmwareImage,
  openFirmware,
  readCrashDump,
} from '../../src/crashdump/index.js';
import { fixtureDumps, realDumps, type Written, withoutHash } from '../accuracy/wrong-build.js';

/** Nobody's address, and one in code that no call stands before. */
const OVERWRITTEN = { 'text of an overflow': 0x41414141, 'an address in a function': null } as const;

const WRITTEN = [...fixtureDumps(), ...realDumps()];

describe('a dump without a hash whose crashed stack is damaged', () => {
  it.each(Object.entries(OVERWRITTEN))(
    'is read with its build, as far as that fits: %s',
    { timeout: 120_000 },
    (_, value) => {
      const leftAside: string[] = [];
      let tried = 0;
      for (const written of WRITTEN) {
        const image = openFirmware(written.elf);
        const names = namesOf(readCrashDump({ core: written.dump, elf: written.elf }).report);
        for (const { pc, damaged } of damagedDumps(written, value)) {
          tried++;
          const { report } = readCrashDump({ core: damaged, elf: image });
          if (!report.usesElf) leftAside.push(`${written.name} at ${pc}`);
          expect(
            report.tasks
              .slice(1)
              .flatMap(namesOfTask)
              .filter((name) => !names.has(name)),
          ).toEqual([]);
        }
      }
      expect(leftAside).toEqual([]);
      expect(tried).toBeGreaterThan(20);
    },
  );

  it.each(Object.entries(OVERWRITTEN))(
    'has no names of another build: %s',
    { timeout: 120_000 },
    (_, value) => {
      const builds = new Map(WRITTEN.map(({ build, elf }) => [build, openFirmware(elf)]));
      for (const written of WRITTEN) {
        const right = builds.get(written.build) ?? null;
        // Where the fewest return addresses are left to tell the builds apart.
        for (const { damaged } of damagedDumps(written, value).slice(0, 2)) {
          for (const [build, image] of builds) {
            if (build === written.build) continue;
            const { report } = readCrashDump({ core: damaged, elf: image });
            const wrong = report.tasks
              .flatMap(({ frames }) => frames)
              .filter(({ pc, function: name }, index) => name !== null && !isRight(right, pc, index, name))
              .map(({ pc, function: name }) => `${written.name}, with ${build}: ${pc} ${name}`);
            expect(wrong).toEqual([]);
            expect(report.fingerprint).not.toBeNull();
          }
        }
      }
    },
  );
});

function isRight(right: FirmwareImage | null, pc: string, index: number, name: string): boolean {
  const sources = right?.framesAt(Number(pc) - (index === 0 ? 0 : 1)) ?? [];
  return sources.some((source) => source.function === name);
}

function namesOf({ tasks }: CrashReport): Set<string> {
  return new Set(tasks.flatMap(namesOfTask));
}

function namesOfTask({ frames }: CrashTask): string[] {
  return frames.map(({ pc, function: name }) => `${pc} ${name}`);
}

/** For each caller of the crash, the dump with another word in place of its return address. */
function damagedDumps(written: Written, value: number | null) {
  const { report } = readCrashDump({ core: written.dump, elf: written.elf });
  const [crashed, ...others] = report.tasks;
  const elsewhere = new Set(others.flatMap(({ frames }) => frames).map(({ pc }) => pc));
  const callers = new Set(crashed?.frames.map(({ pc }) => pc).slice(1));
  const dump = withoutHash(written.dump, written.elf);
  return [...callers]
    .filter((pc) => !elsewhere.has(pc) && pc !== crashed?.frames[0]?.pc)
    .flatMap((pc) => {
      const damaged = Buffer.from(dump);
      const isFound = [0, 0x40000000, 0x80000000, 0xc0000000].map((top) => {
        const word = Buffer.alloc(4);
        const masked = report.chip.startsWith('esp32c') ? Number(pc) : (Number(pc) & 0x3fffffff) + top;
        word.writeUInt32LE(masked);
        const other = value ?? masked + 2;
        let count = 0;
        for (let at = damaged.indexOf(word); at >= 0; at = damaged.indexOf(word, at + 4), count++)
          damaged.writeUInt32LE(other, at);
        return count > 0;
      });
      return isFound.includes(true) ? [{ pc, damaged }] : [];
    });
}
