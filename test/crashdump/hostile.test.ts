import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aTask, binDump, bytes, CHIP, elfDump, note, tcbBytes, words } from './builders.js';
import { attempt, core, dumps, main, registers, riscv } from './hostile-dumps.js';

describe('damage', () => {
  it.each(Object.entries(dumps))('by truncation gives a partial report or a clear refusal: %s', (_, dump) => {
    for (let length = 0; length < dump.length; length += 7) {
      const report = attempt(dump.subarray(0, length));

      if (report)
        expect(report.warnings.map(({ message }) => message).join()).toMatch(/cut|ends early|damaged/);
    }
  });

  it.each(Object.entries(dumps))('by flipped bits gives a report or a clear refusal: %s', (_, dump) => {
    let seed = 1;
    for (let round = 0; round < 500; round++) {
      const broken = Uint8Array.from(dump);
      for (let flips = 1 + (round % 4); flips > 0; flips--) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        const position = seed % dump.length;
        broken[position] = (broken[position] ?? 0) ^ (1 << (seed >>> 29));
      }
      attempt(broken);
    }
  });

  it('by anything at all gives a report or a clear refusal', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 2048 }),
      fc
        .tuple(
          fc.constantFrom(1, 2, 3, 0x100, 0x101, 0x102, 0x103, 0x104),
          fc.uint8Array({ maxLength: 1024 }),
        )
        .map(([version, rest]) => bytes(8 + rest.length, version, rest)),
      fc.string({ maxLength: 500 }).map((text) => bytes('=== CORE DUMP START ===\n', text)),
    );

    fc.assert(
      fc.property(anything, (upload) => {
        attempt(upload);
      }),
      { numRuns: 2000 },
    );
  });

  it('by words replaced at random gives a report or a clear refusal', () => {
    const nasty = fc.constantFrom(
      0,
      1,
      3,
      4,
      0x7fffffff,
      0x80000000,
      0xfffffffc,
      0xffffffff,
      0x3fc91f80,
      0x20000000,
    );
    const edits = fc.array(fc.tuple(fc.nat(), nasty), { minLength: 1, maxLength: 6 });

    fc.assert(
      fc.property(fc.constantFrom(...Object.values(dumps)), edits, (dump, changes) => {
        const broken = Buffer.from(dump);
        for (const [place, value] of changes) {
          broken.writeUInt32LE(value, Math.min((place % (dump.length / 4)) * 4, dump.length - 4) & ~3);
        }
        attempt(broken);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('lengths that lie', () => {
  it.each([0xffffffff, 0x7fffffff, 100_000])('in the header (%i) give what is there', (length) => {
    const dump = Buffer.from(dumps['ELF of RISC-V']);
    dump.writeUInt32LE(length, 0);

    const report = attempt(dump);

    expect(report).toMatchObject({ crashedTask: 'main', checksum: 'absent' });
    expect(report?.warnings.map(({ message }) => message).join()).toContain(`announces ${length} bytes`);
  });

  it.each([
    ['65535 program headers', { count: 65535 }],
    ['program headers past the end', { headerOffset: 0xfffffff0 }],
    ['program headers of no size', { headerSize: 0 }],
  ])('in the ELF header are refused or survived: %s', (_, options) => {
    const report = attempt(core([{ type: 4, address: 0, bytes: registers }], options));

    if (report) expect(report.warnings.map(({ message }) => message).join()).toMatch(/readable|too many/);
  });

  it('in segments (beyond the file, wrapping 2^32, 4 GB) leave the rest readable', () => {
    const dump = Buffer.from(
      core([
        { type: 4, address: 0, bytes: registers },
        { type: 1, address: main.tcb, bytes: tcbBytes(main) },
        { type: 1, address: 0xfffffff0, bytes: new Uint8Array(64) },
        { type: 1, address: 0x3fc80000, bytes: new Uint8Array(4) },
      ]),
    );
    dump.writeUInt32LE(0xffffffff, 52 + 3 * 32 + 4);
    dump.writeUInt32LE(0xffffffff, 52 + 3 * 32 + 16);
    dump.writeUInt32LE(0xffffffff, 52 + 3 * 32 + 20);

    const report = attempt(dump);

    expect(report?.crashedTask).toBe('main');
    expect(report?.warnings.map(({ message }) => message).join()).toMatch(
      /beyond the end of the address space.*is cut/,
    );
  });

  it('of a BIN task count and block sizes stop at the bytes that are there', () => {
    const dump = Buffer.from(dumps['BIN of Xtensa']);
    dump.writeUInt32LE(0xffffffff, 8);

    expect(
      attempt(dump)
        ?.warnings.map(({ message }) => message)
        .join(),
    ).toContain('of 4294967295 tasks');

    for (const size of [0, 0x80000000, 0xffffffff]) {
      dump.writeUInt32LE(size, 12);
      expect(attempt(dump)).toBeNull();
    }
  });

  it('of a BIN stack that ends below its start are taken by their distance', () => {
    const upside = aTask({ stackTop: 0x3fc91f00, stackEnd: 0x3fc92000 });
    const dump = Buffer.from(binDump({ machine: 'xtensa', tasks: [upside] }, 'BIN v2', CHIP.esp32));
    dump.writeUInt32LE(upside.stackEnd, 24);
    dump.writeUInt32LE(upside.stackTop, 28);

    expect(attempt(dump)).toMatchObject({ crashedTask: 'main' });
  });

  it('of BIN segments past the end leave the tasks readable', () => {
    const dump = Buffer.from(dumps['BIN of Xtensa']);
    dump.writeUInt32LE(0xffffffff, 16);

    const report = attempt(dump);

    expect(report?.tasks).toHaveLength(2);
    expect(report?.warnings.map(({ message }) => message).join()).toContain('ends early');
  });
});

describe('notes that lie', () => {
  const withNotes = (...notes: Uint8Array[]) =>
    core([{ type: 4, address: 0, bytes: bytes(registers, ...notes) }]);

  it('about their size end the notes, not the report', () => {
    expect(attempt(withNotes(words(0xffffffff, 4, 1)))).not.toBeNull();
    expect(attempt(withNotes(words(4, 0xffffffff, 1, 0)))).not.toBeNull();
    expect(attempt(withNotes(words(0, 0, 0, 0, 0, 0)))).not.toBeNull();
  });

  it('with registers cut short are left out', () => {
    const report = attempt(
      withNotes(note('CORE', 1, new Uint8Array(30)), note('CORE', 1, new Uint8Array(0))),
    );

    expect(report?.tasks).toHaveLength(1);
    expect(report?.warnings.map(({ message }) => message).join()).toContain('2 register notes are too short');
  });

  it('with a hash without NUL, or of no digits, are read as far as it makes sense', () => {
    const full = attempt(withNotes(note('I', 8266, bytes(0x00050103, 'a'.repeat(68)))));
    const none = attempt(withNotes(note('I', 8266, bytes(0x00050103, 'xyz'))));

    expect(full?.appElfSha256).toBe('a'.repeat(64));
    expect(none?.appElfSha256).toBeNull();
  });

  it.each([0, 3, 4, 7])('with %i bytes of extra information say nothing about interrupts', (length) => {
    const report = attempt(withNotes(note('EXTRA_INFO', 677, new Uint8Array(length))));

    expect(report?.inInterrupt).toBeNull();
  });

  it('that give another version than the header are reported', () => {
    const dump = elfDump({ ...riscv, versionWord: 0x00050101 }, 'ELF SHA256 v2.1', CHIP.esp32c3);

    expect(
      attempt(dump)
        ?.warnings.map(({ message }) => message)
        .join(),
    ).toContain('disagree about the version: 0x50103 and 0x50101');
  });
});
