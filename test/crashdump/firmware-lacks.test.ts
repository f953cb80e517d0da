import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  openFirmware,
  type ReportWarning,
  readCrashDump,
  readFirmwareIdentity,
} from '../../src/crashdump/index.js';
import { findCaseFile, missingFiles } from '../support/real-cases.js';
import {
  ALLOC,
  abbreviation,
  anElf,
  COMPRESSED,
  concat,
  EXEC,
  halves,
  MACHINE,
  type SectionSpec,
  symbolSections,
  uleb,
  unit,
  withLength,
  words,
} from './elf/builders.js';

const text: SectionSpec = {
  name: '.text',
  bytes: new Uint8Array(64),
  flags: ALLOC | EXEC,
  address: 0x42000000,
};
const debug = (name: string, bytes: Uint8Array, flags = 0): SectionSpec => ({
  name: `.debug_${name}`,
  bytes,
  flags,
});
const ordinaryUnit = unit(concat(uleb(1)));
const ordinary = [
  debug('info', ordinaryUnit),
  debug('abbrev', Uint8Array.of(0)),
  debug('frame', words(0, 0, 0)),
];

function elfWith(sections: SectionSpec[], machine = MACHINE.riscv as number): Uint8Array {
  const all = [text, ...sections];
  return anElf({
    machine,
    sections: [...all, ...symbolSections(all.length, [{ name: 'main', address: 0x42000000, section: 1 }])],
  });
}

/** As at an upload, in pieces, and as in a report: both say the same. */
async function lacksOf(elf: Uint8Array): Promise<{ lacks: readonly ReportWarning[]; bytesRead: number }> {
  let bytesRead = 0;
  const { lacks } = await readFirmwareIdentity(async (offset, length) => {
    bytesRead += length;
    return elf.subarray(offset, offset + length);
  }, elf.length);
  expect(openFirmware(elf).lacks()).toEqual(lacks);
  return { lacks, bytesRead };
}

/** Missing in Node.js before 22.15, and in the types of Node.js 20. */
const compressZstd: unknown = Reflect.get(zlib, 'zstdCompressSync');
const hasZstd = typeof compressZstd === 'function';

const codesOf = async (elf: Uint8Array) => (await lacksOf(elf)).lacks.map(({ code }) => code);

describe('what a firmware lacks', () => {
  it('is nothing for an ordinary build', async () => {
    expect(await codesOf(elfWith(ordinary))).toEqual([]);
  });

  it('is everything after strip -s, debug information after strip --strip-debug', async () => {
    const { lacks: all } = await lacksOf(anElf({ sections: [text] }));
    const { lacks: some } = await lacksOf(elfWith([]));

    expect(all.map(({ code }) => code)).toEqual(['FIRMWARE_STRIPPED', 'FIRMWARE_NO_CALL_FRAMES']);
    expect(all[0]?.message).toContain('neither symbols nor debug information');
    expect(some.map(({ code }) => code)).toEqual(['FIRMWARE_STRIPPED', 'FIRMWARE_NO_CALL_FRAMES']);
    expect(some[0]?.message).toContain('has no debug information');
  });

  it('is the code after objcopy --only-keep-debug', async () => {
    const { lacks } = await lacksOf(
      anElf({
        machine: MACHINE.riscv,
        sections: [
          { ...text, type: 8 },
          ...ordinary,
          ...symbolSections(1 + ordinary.length, [{ name: 'main', address: 0x42000000, section: 1 }]),
        ],
      }),
    );

    expect(lacks.map(({ code }) => code)).toEqual(['FIRMWARE_STRIPPED']);
    expect(lacks[0]?.message).toContain('has no code, only debug information');
  });

  it('is call frames only where callers are found by them, and .eh_frame has them too', async () => {
    const [info, abbrev] = ordinary.slice(0, 2) as [SectionSpec, SectionSpec];
    const ehFrame = { name: '.eh_frame', bytes: new Uint8Array(64), flags: ALLOC, address: 0x3c000000 };

    expect(await codesOf(elfWith([info, abbrev]))).toEqual(['FIRMWARE_NO_CALL_FRAMES']);
    expect(await codesOf(elfWith([info, abbrev], MACHINE.xtensa))).toEqual([]);
    expect(await codesOf(elfWith([info, abbrev, ehFrame]))).toEqual([]);
    expect(await codesOf(elfWith([info, abbrev, { ...ehFrame, bytes: new Uint8Array(4) }]))).toEqual([
      'FIRMWARE_NO_CALL_FRAMES',
    ]);
  });

  it('is call frames too where only a library has kept some', async () => {
    const large = { ...text, name: '.flash.text', bytes: new Uint8Array(4_000), address: 0x42010000 };
    const few = { name: '.eh_frame', bytes: new Uint8Array(64), flags: ALLOC, address: 0x3c000000 };

    const { lacks } = await lacksOf(elfWith([...ordinary.slice(0, 2), large, few]));

    expect(lacks.map(({ code }) => code)).toEqual(['FIRMWARE_NO_CALL_FRAMES']);
    expect(lacks[0]?.message).toContain('a small part of its code');
  });

  it('is debug information that was left in .dwo files, of DWARF 5 and before', async () => {
    const skeleton = withLength(concat(halves(5), Uint8Array.of(4, 4), words(0), new Uint8Array(8), uleb(1)));
    const named = abbreviation(1, 0x11, false, [0x2130, 0x0e]);
    const sections = (info: Uint8Array, abbrev: Uint8Array) => [
      debug('info', info),
      debug('abbrev', abbrev),
      debug('addr', words(0)),
      debug('frame', words(0, 0, 0)),
    ];
    const modern = await lacksOf(
      elfWith(sections(concat(skeleton, ordinaryUnit, skeleton), Uint8Array.of(0))),
    );
    const older = await lacksOf(elfWith(sections(ordinaryUnit, named)));

    expect(modern.lacks.map(({ code }) => code)).toEqual(['FIRMWARE_SPLIT_DEBUG']);
    expect(modern.lacks[0]?.message).toContain('of 2 of');
    expect(older.lacks.map(({ code }) => code)).toEqual(['FIRMWARE_SPLIT_DEBUG']);
    expect(await codesOf(elfWith(sections(ordinaryUnit, Uint8Array.of(0))))).toEqual([]);
  });

  it('is what was compressed in a way that nobody knows, said once', async () => {
    const header = words(77, 1000, 1);
    const sections = ordinary.map((section) => ({ ...section, bytes: header, flags: COMPRESSED }));

    const { lacks } = await lacksOf(elfWith(sections));

    expect(lacks.map(({ code }) => code)).toEqual(['FIRMWARE_COMPRESSED']);
    expect(lacks[0]?.message).toContain('method 77');
  });

  it.skipIf(hasZstd)('is what was compressed with zstd, before Node.js 22.15', async () => {
    const sections = ordinary.map((section) => ({ ...section, bytes: words(2, 1000, 1), flags: COMPRESSED }));

    const { lacks } = await lacksOf(elfWith(sections));

    expect(lacks.map(({ code }) => code)).toEqual(['FIRMWARE_COMPRESSED']);
    expect(lacks[0]?.message).toContain('Use Node.js 22.15 or later');
  });

  it.skipIf(!hasZstd)('is not what was compressed with zstd, from Node.js 22.15 on', async () => {
    const sections = ordinary.map((section) => ({
      ...section,
      bytes: concat(
        words(2, section.bytes.length, 1),
        typeof compressZstd === 'function' ? compressZstd(section.bytes) : section.bytes,
      ),
      flags: COMPRESSED,
    }));

    expect(await codesOf(elfWith(sections))).toEqual([]);
  });

  it('is a section that the file ends before, in a report', () => {
    const [info, ...others] = ordinary as [SectionSpec, ...SectionSpec[]];

    expect(openFirmware(elfWith([{ ...info, claimedSize: 1_000_000 }, ...others])).lacks()).toMatchObject([
      { code: 'FIRMWARE_INCOMPLETE', message: expect.stringContaining('.debug_info') },
    ]);
  });

  it('is found without reading the file, however large it is', async () => {
    const large = concat(...Array.from({ length: 50 }, () => unit(concat(uleb(1), new Uint8Array(100_000)))));
    const sections = [debug('info', large), ...ordinary.slice(1), debug('addr', words(0))];

    const { bytesRead } = await lacksOf(elfWith(sections));

    expect(bytesRead).toBeLessThan(30_000);
  });
});

describe('what a build of our own lacks', () => {
  it.each([
    ['debug-frame', []],
    ['exceptions', []],
    ['clang', []],
    ['split', ['FIRMWARE_SPLIT_DEBUG']],
    ['no-debug', ['FIRMWARE_STRIPPED', 'FIRMWARE_NO_CALL_FRAMES']],
    ['stripped', ['FIRMWARE_STRIPPED', 'FIRMWARE_NO_CALL_FRAMES']],
    ['zstd', hasZstd ? [] : ['FIRMWARE_COMPRESSED']],
  ])('%s: %s', async (name, codes) => {
    const elf = readFileSync(new URL(`../fixtures/unwind/${name}.elf`, import.meta.url));

    expect(await codesOf(elf)).toEqual(codes);
  });
});

describe('reports with an ELF that lacks something', () => {
  const folder = 'reader/7-silent-nodebug';
  const named = {
    g_strip: 'FIRMWARE_STRIPPED',
    g_split: 'FIRMWARE_SPLIT_DEBUG',
    g_zstd: 'FIRMWARE_COMPRESSED',
  };
  for (const [name, code] of Object.entries(named)) {
    const [dump, elf] = [findCaseFile(folder, `${name}.bin`), findCaseFile(folder, `${name}.elf`)];
    const skipped = missingFiles(folder, [`${name}.bin`, `${name}.elf`]);
    const isReadable = name === 'g_zstd' && hasZstd;

    it.skipIf(dump === null || elf === null || isReadable)(`warn: ${name}${skipped}`, async () => {
      const bytes = readFileSync(elf ?? '');
      const { report } = readCrashDump({ core: readFileSync(dump ?? ''), elf: bytes });

      expect(report.warnings.map((warning) => warning.code)).toContain(code);
      expect(await codesOf(bytes)).toContain(code);
    });
  }
});
