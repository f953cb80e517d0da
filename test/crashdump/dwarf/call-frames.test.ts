import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFirmware, readCrashDump } from '../../../src/crashdump/index.js';
import { compareFixture, FRAME_FIXTURES } from '../../accuracy/call-frames.js';
import { rowInWords } from '../../support/frame-tables.js';
import { findCaseFile, missingFiles } from '../../support/real-cases.js';
import {
  ALLOC,
  anElf,
  concat,
  cString,
  EXEC,
  halves,
  type SectionSpec,
  uleb,
  withLength,
  words,
} from '../elf/builders.js';

const CODE = 0x42000000;
const SECTION_AT = 0x3c000000;
/** def_cfa sp + 0 */
const AT_SP = Uint8Array.of(0x0c, 2, 0);
const ENCODING = {
  pcrelSdata4: 0x1b,
  absptr: 0x00,
  udata2: 0x02,
  sdata8: 0x0c,
  indirect: 0x9b,
  datarel: 0x3b,
};

interface CieSpec {
  augmentation?: string;
  data?: Uint8Array;
  version?: number;
}

/** As in `.eh_frame`: a CIE with an augmentation, whatever is in it. */
function aCie({
  augmentation = 'zR',
  data = Uint8Array.of(ENCODING.pcrelSdata4),
  version = 1,
}: CieSpec = {}): Uint8Array {
  const sized = augmentation.startsWith('z') ? concat(uleb(data.length), data) : data;
  return withLength(
    concat(words(0), Uint8Array.of(version), cString(augmentation), Uint8Array.of(1, 0x7c, 1), sized, AT_SP),
  );
}

/** A description whose frame has `size` bytes, at `offset` of the section, of a CIE at 0. */
function anFde(
  offset: number,
  addresses: (fieldAt: number) => Uint8Array,
  size: number,
  augmentation = Uint8Array.of(0),
): Uint8Array {
  return withLength(
    concat(words(offset + 4), addresses(SECTION_AT + offset + 8), augmentation, Uint8Array.of(0x0e, size)),
  );
}

const pcrel = (start: number, length: number) => (fieldAt: number) => words(start - fieldAt, length);

function firmwareWith(bytes: Uint8Array, ...more: SectionSpec[]) {
  const text = { name: '.text', bytes: new Uint8Array(0x1000), flags: ALLOC | EXEC, address: CODE };
  const frame = { name: '.eh_frame', bytes, flags: ALLOC, address: SECTION_AT };
  return openFirmware(anElf({ sections: [text, frame, ...more] }));
}

function rowAt(firmware: ReturnType<typeof openFirmware>, pc: number): string | null {
  const row = firmware.cfiAt(pc);
  return row === null ? null : rowInWords(row);
}

describe('call-frame information', () => {
  it.each(FRAME_FIXTURES)('of %s is as readelf prints it, at every address', (name) => {
    const { functions, tried, wrong } = compareFixture(name);

    expect(wrong).toEqual([]);
    expect(functions).toBeGreaterThan(10);
    expect(tried).toBeGreaterThan(350);
  });

  const folder = 'reader/1-ehframe';
  const files = ['exceptions', 'no-exceptions'].flatMap((name) => [`dump-${name}.bin`, `fw-${name}.elf`]);
  const paths = files.map((file) => findCaseFile(folder, file));
  it.skipIf(paths.includes(null))(
    `finds the callers of a program with exceptions${missingFiles(folder, files)}`,
    () => {
      const [withExceptions, without] = [0, 2].map((at) => {
        const [core, elf] = paths.slice(at, at + 2).map((path) => readFileSync(path ?? ''));
        return readCrashDump({ core: core ?? new Uint8Array(0), elf: elf ?? null }).report;
      });

      const names = withExceptions?.tasks[0]?.frames.flatMap((frame) => frame.function ?? []);
      expect(names).toEqual(['dht::Sensor::read', 'publish', 'loop', 'loopTask', 'vPortTaskWrapper']);
      expect(withExceptions?.fingerprint).toBe(without?.fingerprint);
      expect(withExceptions?.fingerprint).not.toBeNull();
    },
  );
});

describe('.eh_frame', () => {
  const cie = aCie();

  it('is read where .debug_frame has nothing, and .debug_frame where it has something', () => {
    const older = concat(
      withLength(concat(words(0xffffffff), Uint8Array.of(1), cString(''), Uint8Array.of(1, 0x7c, 1), AT_SP)),
    );
    const debugFrame = concat(older, withLength(concat(words(0, CODE, 0x100), Uint8Array.of(0x0e, 64))));
    const frame = concat(cie, anFde(cie.length, pcrel(CODE, 0x200), 16));

    const firmware = firmwareWith(frame, { name: '.debug_frame', bytes: debugFrame });

    expect(rowAt(firmware, CODE + 0x80)).toBe('sp+64');
    expect(rowAt(firmware, CODE + 0x180)).toBe('sp+16');
    expect(rowAt(firmware, CODE + 0x200)).toBeNull();
  });

  it.each<[string, CieSpec, (fieldAt: number) => Uint8Array]>([
    ['relative to itself', {}, pcrel(CODE, 0x100)],
    ['absolute', { data: Uint8Array.of(ENCODING.absptr) }, () => words(CODE, 0x100)],
    ['absolute, without an encoding', { augmentation: 'z', data: Uint8Array.of() }, () => words(CODE, 0x100)],
    ['in eight bytes', { data: Uint8Array.of(ENCODING.sdata8) }, () => words(CODE, 0, 0x100, 0)],
    [
      'behind a personality and a language-specific area',
      {
        augmentation: 'zPLR',
        data: Uint8Array.of(ENCODING.indirect, 1, 2, 3, 4, 0x1b, 0x1b),
      },
      pcrel(CODE, 0x100),
    ],
    ['of a signal handler', { augmentation: 'zRS' }, pcrel(CODE, 0x100)],
  ])('has addresses %s', (_, spec, addresses) => {
    const common = aCie(spec);

    const firmware = firmwareWith(concat(common, anFde(common.length, addresses, 48)));

    expect(rowAt(firmware, CODE + 0xff)).toBe('sp+48');
    expect(rowAt(firmware, CODE + 0x100)).toBeNull();
  });

  it('skips the augmentation data of a description', () => {
    const firmware = firmwareWith(
      concat(cie, anFde(cie.length, pcrel(CODE, 0x100), 48, Uint8Array.of(4, 0x0e, 1, 0x0e, 2))),
    );

    expect(rowAt(firmware, CODE)).toBe('sp+48');
  });

  it.each<[string, CieSpec]>([
    ['an encoding that needs a base', { data: Uint8Array.of(ENCODING.datarel) }],
    ['an encoding that needs memory', { data: Uint8Array.of(ENCODING.indirect) }],
    ['an augmentation that nobody knows', { augmentation: 'zQR', data: Uint8Array.of(1, 0x1b) }],
    ['another version', { version: 2 }],
  ])('says nothing by a CIE with %s', (_, spec) => {
    const common = aCie(spec);

    expect(
      rowAt(firmwareWith(concat(common, anFde(common.length, pcrel(CODE, 0x100), 48))), CODE),
    ).toBeNull();
  });

  it('goes on behind a terminator and with further CIEs, each description by its own', () => {
    const first = concat(cie, anFde(cie.length, pcrel(CODE, 0x100), 16), words(0));
    const second = aCie({ data: Uint8Array.of(ENCODING.absptr) });
    const fde = withLength(
      concat(words(second.length + 4), words(CODE + 0x100, 0x100), Uint8Array.of(0, 0x0e, 32)),
    );

    const firmware = firmwareWith(concat(first, second, fde));

    expect(rowAt(firmware, CODE)).toBe('sp+16');
    expect(rowAt(firmware, CODE + 0x100)).toBe('sp+32');
  });

  it('has functions that the linker dropped at 0 or a little above: they describe nothing', () => {
    const fdes = [0, 0x40].map((start, index) => anFde(cie.length + index * 19, pcrel(start, 0x100), 16));

    const firmware = firmwareWith(concat(cie, ...fdes));

    expect([0, 0x20, 0x40, 0x60].map((pc) => rowAt(firmware, pc))).toEqual([null, null, null, null]);
  });

  it('may describe an address twice: the first description counts, or the inner one', () => {
    const parts: Uint8Array[] = [cie];
    const add = (start: number, length: number, size: number) =>
      parts.push(anFde(concat(...parts).length, pcrel(start, length), size));
    add(CODE, 0x100, 16);
    add(CODE, 0x80, 32);
    add(CODE + 0x20, 0x10, 48);

    const firmware = firmwareWith(concat(...parts));

    expect([0, 0x24, 0x30, 0x90].map((at) => rowAt(firmware, CODE + at))).toEqual([
      'sp+16',
      'sp+48',
      'sp+16',
      'sp+16',
    ]);
  });

  it('with wrong lengths and pointers costs what is behind them', () => {
    const good = concat(cie, anFde(cie.length, pcrel(CODE, 0x100), 16));
    const lost = anFde(good.length + 4, pcrel(CODE + 0x100, 0x100), 16);

    for (const broken of [words(0xfffffff0), words(0x7fffffff), words(0xffffffff)]) {
      const firmware = firmwareWith(concat(good, broken, lost));
      expect(rowAt(firmware, CODE)).toBe('sp+16');
      expect(rowAt(firmware, CODE + 0x100)).toBeNull();
    }
    const nowhere = withLength(concat(words(0x7fffffff), words(0, 0x100), halves(0)));
    expect(rowAt(firmwareWith(concat(good, nowhere)), CODE)).toBe('sp+16');
  });

  it.each(['exceptions', 'mixed', 'clang'])(
    'of %s is read or not, whatever bytes of it are wrong',
    (name) => {
      const elf = readFileSync(new URL(`../../fixtures/unwind/${name}.elf`, import.meta.url));
      const section = openFirmware(elf).sections.find((candidate) => candidate.name === '.eh_frame');
      const start = elf.indexOf(
        Buffer.from(openFirmware(elf).readAt(section?.address ?? 0, section?.size ?? 0) ?? []),
      );
      let seed = 1;
      const random = (limit: number) => {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        return Math.floor((seed / 2 ** 32) * limit);
      };
      for (let round = 0; round < 400; round++) {
        const broken = Uint8Array.from(elf);
        for (let count = 1 + random(4); count > 0; count--)
          broken[start + random(section?.size ?? 1)] = random(256);
        const firmware = openFirmware(broken);
        for (let pc = 0x42000020; pc < 0x42000400; pc += 14) firmware.cfiAt(pc);
      }
    },
  );
});
