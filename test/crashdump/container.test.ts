import { describe, expect, it } from 'vitest';
import { openContainer } from '../../src/crashdump/core/container.js';
import { peekDump, readCrashDump, UnreadableDump } from '../../src/crashdump/index.js';
import {
  aTask,
  BIN_VERSIONS,
  base64Log,
  binDump,
  bytes,
  CHIP,
  type CoreSpec,
  ELF_VERSIONS,
  elfCore,
  elfDump,
  elfFile,
  sealed,
  words,
} from './builders.js';

const riscv: CoreSpec = { machine: 'riscv', tasks: [aTask()], appElfSha256: '0123456789abcdef' };
const xtensa: CoreSpec = { machine: 'xtensa', tasks: [aTask()], appElfSha256: '012345678' };
const elfVersions = Object.keys(ELF_VERSIONS) as (keyof typeof ELF_VERSIONS)[];
const binVersions = Object.keys(BIN_VERSIONS) as (keyof typeof BIN_VERSIONS)[];

function read(core: Uint8Array, chip?: string) {
  return readCrashDump({ core, elf: null, ...(chip === undefined ? {} : { chip }) }).report;
}

describe('containers', () => {
  it.each(elfVersions)('reads %s of a RISC-V chip', (version) => {
    const report = read(elfDump(riscv, version, CHIP.esp32c3));

    expect(report).toMatchObject({ format: version, checksum: 'ok', chip: 'esp32c3', crashedTask: 'main' });
  });

  it.each(elfVersions)('reads %s of an Xtensa chip', (version) => {
    const report = read(elfDump(xtensa, version, CHIP.esp32s3));

    expect(report).toMatchObject({ format: version, checksum: 'ok', chip: 'esp32s3', crashedTask: 'main' });
  });

  it.each(binVersions)('reads %s of both architectures', (version) => {
    const onXtensa = read(binDump(xtensa, version, CHIP.esp32));
    const onRiscv = read(binDump(riscv, version, CHIP.esp32c3));

    expect(onXtensa).toMatchObject({ format: version, checksum: 'ok', chip: 'esp32', crashedTask: 'main' });
    expect(onRiscv).toMatchObject({ format: version, checksum: 'ok', chip: 'esp32c3', crashedTask: 'main' });
  });

  it('tells the chip revision where the header has it', () => {
    const revisions = elfVersions.map(
      (version) => read(elfDump(riscv, version, CHIP.esp32c3, 3)).chipRevision,
    );

    expect(revisions).toEqual([null, null, 3, 3, 3]);
  });

  it('reads a bare ELF, whose chip the note or the caller names', () => {
    const named = read(elfCore({ ...riscv, versionWord: 0x00050103 }));
    const unnamed = read(elfCore({ ...xtensa, versionWord: 0x00050103 }), 'ESP32-S2');

    expect(named).toMatchObject({ format: 'bare ELF', checksum: 'absent', chip: 'esp32c3' });
    expect(unnamed.chip).toBe('esp32s2');
  });

  it('ignores what stands in the partition behind the dump', () => {
    const dump = elfDump(riscv, 'ELF SHA256 v2.1', CHIP.esp32c3);

    const report = read(bytes(dump, new Uint8Array(4096).fill(0xff), dump));

    expect(report).toMatchObject({
      checksum: 'ok',
      warnings: [{ code: 'NO_FIRMWARE', message: expect.stringContaining('no firmware ELF') }],
    });
  });

  it('reads on behind a wrong checksum and says so', () => {
    for (const version of ['ELF CRC32 v2', 'ELF SHA256 v2.2'] as const) {
      const dump = elfDump(riscv, version, CHIP.esp32c3);
      dump[dump.length - 1] = (dump.at(-1) ?? 0) ^ 1;

      const report = read(dump);

      expect(report).toMatchObject({ checksum: 'bad', crashedTask: 'main' });
      expect(report.warnings.map(({ message }) => message).join()).toContain('damaged');
    }
  });

  it('calls the missing checksum of a v1 dump from the UART absent, not bad', () => {
    const dump = binDump({ ...xtensa, tasks: [aTask({ stack: { 1070145532: 7 } })] }, 'BIN v1', CHIP.esp32);
    const payloadEnd = 16 + 12 + 0x154 + 0x100;
    const uart = Buffer.from(dump.subarray(0, payloadEnd));
    uart.writeUInt32LE(payloadEnd, 0);

    const report = read(uart);

    expect(report).toMatchObject({ checksum: 'absent', crashedTask: 'main' });
    expect(report.warnings).toHaveLength(1);
  });

  it('reads the ELF of a version that is not known yet', () => {
    const dump = sealed(0x000501ff, words(300), elfCore(riscv), 'sha256');

    const report = read(dump);

    expect(report).toMatchObject({ chip: 'esp32c3', crashedTask: 'main', checksum: 'absent' });
    expect(report.warnings.map(({ message }) => message).join()).toContain('0x01ff is not known');
  });

  it('reads a known version of an unknown chip by its machine', () => {
    const report = read(elfDump(riscv, 'ELF SHA256 v2.1', 200));

    expect(report.chip).toBe('riscv');
    expect(report.warnings.map(({ message }) => message).join()).toContain('chip id 200');
  });

  it('lets the registers decide when the chip id names the other architecture', () => {
    const report = read(elfDump(xtensa, 'ELF SHA256 v2.1', CHIP.esp32c3), 'esp32');

    expect(report.chip).toBe('esp32');
    expect(report.warnings.map(({ message }) => message).join()).toContain('xtensa');
  });
});

describe('dumps that travelled as text', () => {
  const dump = elfDump(riscv, 'ELF CRC32 v2.1', CHIP.esp32c3);

  it('reads base64 between the markers of a console log', () => {
    const report = read(base64Log(dump));

    expect(report).toMatchObject({ checksum: 'ok', crashedTask: 'main' });
  });

  it('reads base64 lines alone', () => {
    const text =
      Buffer.from(dump)
        .toString('base64')
        .match(/.{1,64}/g)
        ?.join('\n') ?? '';

    expect(read(bytes(text))).toMatchObject({ checksum: 'ok', crashedTask: 'main' });
  });

  it('leaves out log lines that came in between, and takes CRLF and a missing END', () => {
    const text = base64Log(dump, {
      newline: '\r\n',
      end: false,
      between: ['I (523) wifi: beacon', 'W (9) a=b'],
    });

    // A checksum that is right proves that nothing of the dump is missing.
    expect(read(text)).toEqual({ ...read(dump), transport: 'base64 lines of a console log' });
  });

  it('says what was left out when the checksum does not prove the rest', () => {
    const broken = Uint8Array.from(dump);
    broken[dump.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    const text = base64Log(broken, { end: false, between: ['I (523) wifi: beacon', 'W (9) a=b'] });

    const report = read(text);

    expect(report).toMatchObject({ checksum: 'bad', crashedTask: 'main' });
    expect(report.warnings.map(({ message }) => message).join()).toMatch(
      /no CORE DUMP END.* lines .*left out/,
    );
  });

  it('does not guess at a line with bad padding', () => {
    const [first = '', ...rest] =
      Buffer.from(dump)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    const text = [`${first}=`, ...rest].join('\n');

    expect(() => openContainer(bytes(text))).toThrow(UnreadableDump);
  });

  it('reads hexadecimal text, in lines or not, of odd length too', () => {
    const hex = Buffer.from(dump).toString('hex');

    expect(read(bytes(hex))).toMatchObject({ checksum: 'ok' });
    expect(read(bytes(`${hex.match(/.{1,32}/g)?.join('\n')}\n`))).toMatchObject({ checksum: 'ok' });
    expect(
      read(bytes(`${hex}a`))
        .warnings.map(({ message }) => message)
        .join(),
    ).toContain('odd number');
  });
});

describe('uploads that are no dump', () => {
  it.each([
    ['an empty body', new Uint8Array(0), 'at least 12 bytes'],
    ['eleven bytes', new Uint8Array(11), 'at least 12 bytes'],
    ['an erased partition', new Uint8Array(65536).fill(0xff), 'erased'],
    ['a zeroed partition', new Uint8Array(65536), 'zero'],
    ['flash-encrypted bytes', noise(4096), 'look encrypted'],
    ['a ZIP', bytes('PK\x03\x04', new Uint8Array(600)), 'ZIP'],
    ['a gzip', bytes(Buffer.from([0x1f, 0x8b, 8, 0]), new Uint8Array(600)), 'gzip'],
    ['a text', bytes('the quick brown fox, they say'), 'text'],
    ['an application ELF', elfFile('riscv', [], { type: 2 }), 'ET_CORE'],
    ['a 64-bit core', elfFile('riscv', [], { elfClass: 2 }), '32-bit'],
    ['a big-endian core', elfFile('riscv', [], { byteOrder: 2 }), 'little-endian'],
    ['a core of another machine', elfFile(62, []), 'machine 0x3e'],
    ['a known version with an impossible length', words(13, 0x00050103, 0, 0, 0, 0, 0), 'total length of 13'],
    ['a dump cut in its header', words(4096, 0x00050103, 0), 'cut inside its header'],
  ])('names %s', (_, upload, message) => {
    expect(() => readCrashDump({ core: upload, elf: null })).toThrow(UnreadableDump);
    expect(() => readCrashDump({ core: upload, elf: null })).toThrow(message);
    expect(() => peekDump(upload)).toThrow(UnreadableDump);
  });
});

describe('a peek', () => {
  const DUMP = { source: 'core_dump', firmwareVersion: null, noCrash: null };

  it('finds the chip and the digits of the application ELF in every container', () => {
    for (const version of elfVersions) {
      expect(peekDump(elfDump(riscv, version, CHIP.esp32c3))).toEqual({
        ...DUMP,
        chip: 'esp32c3',
        appElfSha256: '0123456789abcdef',
      });
    }
    expect(peekDump(base64Log(elfDump(xtensa, 'ELF SHA256 v2.2', CHIP.esp32s3)))).toEqual({
      ...DUMP,
      chip: 'esp32s3',
      appElfSha256: '012345678',
    });
    expect(peekDump(binDump(xtensa, 'BIN v2', CHIP.esp32))).toEqual({
      ...DUMP,
      chip: 'esp32',
      appElfSha256: null,
    });
  });
});

/** Bytes as evenly spread as encryption leaves them; a xorshift generator, so always the same. */
function noise(length: number): Uint8Array {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}
