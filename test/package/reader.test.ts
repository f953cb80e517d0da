import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
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

  it('reads a dump without a firmware, and says so', () => {
    const [{ core }] = readFixtures() as [Specimen];

    const { report } = library.readCrashDump({ core });

    expect(report.warnings.map(({ code }) => code)).toEqual(['NO_FIRMWARE']);
  });

  it('says what it takes to those who give it the buffer of a file', () => {
    const [{ core, elf }] = readFixtures() as [Specimen];
    const buffer = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer as unknown as Uint8Array;

    expect(() => library.readCrashDump({ core: buffer(core), elf })).toThrow('core must be a Uint8Array');
    expect(() => library.readCrashDump({ core, elf: buffer(elf) })).toThrow('elf must be a Uint8Array');
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
