import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as source from '../../src/crashdump/index.js';
import { readFixtures, readPrograms, readTexts, type Specimen } from '../fuzz/corpus.js';
import { createRandom, mutate } from '../fuzz/mutate.js';

const LIBRARY = fileURLToPath(new URL('../../dist/reader.js', import.meta.url));
const ZSTD = readFileSync(new URL('../fixtures/unwind/zstd.elf', import.meta.url));
const MUTANTS = 60;

/** What browsers get; it runs in Node.js too. */
let library: typeof source;
beforeAll(async () => {
  library = (await import(pathToFileURL(LIBRARY).href)) as typeof source;
});

describe('the reader as a library', () => {
  it('asks for no other file and no module of Node.js', () => {
    expect(readFileSync(LIBRARY, 'utf8')).not.toMatch(/^import\b|\bimport\(|\brequire\(|["']node:/m);
  });

  it.each([...readFixtures(), ...readTexts(), ...readPrograms()])(
    'reads $name as the server does',
    (specimen) => {
      expect(outcome(library, specimen)).toEqual(outcome(source, specimen));
    },
  );

  it('treats broken dumps and broken firmware as the server does', () => {
    const random = createRandom(16);
    const originals = [...readFixtures(), ...readTexts()];
    for (let count = 0; count < MUTANTS; count++) {
      const { core, elf, name } = originals[Math.floor(random() * originals.length)] as Specimen;
      const broken =
        random() < 0.7 ? { core: mutate(core, elf, random), elf } : { core, elf: mutate(elf, core, random) };

      expect(outcome(library, broken), `${name}, mutant ${count}`).toEqual(outcome(source, broken));
    }
  });

  it('writes the core file for GDB as the server does', () => {
    for (const { core, name } of [...readFixtures(), ...readTexts()])
      expect(Buffer.compare(library.toCoreElf(core), source.toCoreElf(core)), name).toBe(0);
  });

  describe('called without types', () => {
    const { core, elf } = readFixtures()[0] as Specimen;
    const other = runInNewContext('Uint8Array') as typeof Uint8Array;

    it.each([
      { name: 'an ArrayBuffer', wrong: new ArrayBuffer(4096) },
      { name: 'a name', wrong: 'coredump.bin' },
      { name: 'nothing', wrong: undefined },
    ])('says that $name is no dump and no firmware', ({ wrong }) => {
      const bytes = wrong as unknown as Uint8Array;

      expect(() => library.readCrashDump({ core: bytes, elf: null })).toThrow(/A Uint8Array is needed/);
      expect(() => library.toCoreElf(bytes)).toThrow(/A Uint8Array is needed/);
      expect(() => library.peekDump(bytes)).toThrow(/A Uint8Array is needed/);
      expect(() => library.openFirmware(bytes)).toThrow(/A Uint8Array is needed/);
      if (wrong !== undefined)
        expect(() => library.readCrashDump({ core, elf: bytes })).toThrow(/A Uint8Array is needed/);
    });

    it('takes a missing ELF for none, and bytes of another realm', () => {
      const without = library.readCrashDump({ core });
      const foreign = library.readCrashDump({ core: new other(core), elf: new other(elf) });

      expect(without.report.warnings.map(({ code }) => code)).toEqual(['NO_FIRMWARE']);
      expect(without).toEqual(library.readCrashDump({ core, elf: null }));
      expect(foreign).toEqual(library.readCrashDump({ core, elf }));
    });
  });

  it('reads sections that zstd has compressed, on every Node.js', () => {
    expect(library.openFirmware(ZSTD).lacks()).toEqual([]);
  });
});

/** The reading, or the error that the caller gets. */
function outcome(reader: typeof source, { core, elf }: { core: Uint8Array; elf: Uint8Array }): unknown {
  try {
    return reader.readCrashDump({ core, elf });
  } catch (error) {
    if (!(error instanceof reader.UnreadableDump)) throw error;
    return error.message;
  }
}
