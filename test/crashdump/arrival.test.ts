import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { peekDump, readCrashDump, UnreadableDump } from '../../src/crashdump/index.js';
import { arrivingDumps, readDamaged, readWrapped } from '../accuracy/arrival.js';
import { cpuClock } from '../support/cpu-clock.js';
import { fixture } from '../support/fixtures.js';
import { findCaseFile, SEARCHED } from '../support/real-cases.js';
import { aTask, binDump, bytes, CHIP, type CoreSpec, elfDump, elfFile, words } from './builders.js';
import { substance } from './damage.js';
import { uartLines, uartLog, WRAPPINGS } from './wrappings.js';

const START = '================= CORE DUMP START =================';
const END = '================= CORE DUMP END =================';
const dumps = arrivingDumps();
const [first] = dumps;
const xtensa = {
  machine: 'xtensa',
  tasks: [aTask({ tcb: 0x3ffb0000, stackStart: 0x3ffb1000, stackTop: 0x3ffb1f00, stackEnd: 0x3ffb2000 })],
} satisfies CoreSpec;

function read(core: Uint8Array) {
  return readCrashDump({ core, elf: null }).report;
}

function codes(core: Uint8Array): string[] {
  return read(core)
    .warnings.map(({ code }) => code)
    .filter((code) => code !== 'NO_FIRMWARE');
}

describe('a dump in a text', () => {
  it.each(WRAPPINGS)('is the raw dump: $name', (wrapping) => {
    const wrong = dumps.map((dump) => readWrapped(dump, wrapping)).filter(({ result }) => result !== 'right');

    expect(wrong).toEqual([]);
  });

  it('names the text that it came in, and raw bytes by nothing', () => {
    const dump = elfDump({ machine: 'riscv', tasks: [aTask()] }, 'ELF SHA256 v2.1', CHIP.esp32c3);

    expect(read(dump).transport).toBeNull();
    expect(read(Buffer.from(uartLog(dump))).transport).toBe('base64 lines of a console log');
    expect(read(Buffer.from(Buffer.from(dump).toString('hex'))).transport).toBe('hexadecimal text');
  });

  it('has no warning for the log around it: the checksum proves it', () => {
    const dump = elfDump({ machine: 'riscv', tasks: [aTask()] }, 'ELF SHA256 v2.1', CHIP.esp32c3);

    expect(codes(Buffer.from(`boot\r\n${uartLog(dump)}\r\nRebooting...`))).toEqual([]);
  });
});

describe('a damaged text', () => {
  it.each(dumps)('gives nothing that is not true, and says what is missing: $name', (dump) => {
    const wrong = readDamaged(dump, 10).filter(({ result }) => result === 'wrong');

    expect(wrong).toEqual([]);
  });

  it('keeps the place of a line with a lost character, and names its bytes', () => {
    const dump = elfDump({ machine: 'riscv', tasks: [aTask()] }, 'ELF SHA256 v2.1', CHIP.esp32c3);
    const lines = uartLines(dump);
    const at = 24 + 48 * 19;
    lines[20] = lines[20]?.slice(1) ?? '';

    const report = read(Buffer.from([START, ...lines, END].join('\r\n')));

    expect(report.warnings.filter(({ code }) => code !== 'NO_FIRMWARE')).toEqual([
      { code: 'DUMP_HAS_GAPS', message: expect.stringContaining(`Bytes ${at} to ${at + 47} of the dump`) },
    ]);
    expect(report.crashedTask).toBe('main');
  });

  it('says of a cut dump that it is cut, not that the device found its task broken', () => {
    const { bytes: dump } = first ?? { bytes: new Uint8Array() };
    for (let length = 600; length < dump.length; length += 97) {
      const report = attempt(dump.subarray(0, length));
      const said = report?.warnings.map(({ code }) => code) ?? ['DUMP_CUT'];

      expect(said).toContain('DUMP_CUT');
      expect(said).not.toContain('TASK_BROKEN');
      expect(report?.tasks.some(({ stackCorrupted }) => stackCorrupted) ?? false).toBe(false);
    }
  });
});

describe('two dumps in one log', () => {
  const one = elfDump(
    { machine: 'riscv', tasks: [aTask({ name: 'first' })] },
    'ELF SHA256 v2.1',
    CHIP.esp32c3,
  );
  const two = elfDump(
    { machine: 'riscv', tasks: [aTask({ name: 'second' })] },
    'ELF SHA256 v2.1',
    CHIP.esp32c3,
  );
  const cut = (dump: Uint8Array) => uartLog(dump).slice(0, 700);

  it('are read from the last whole one', () => {
    const whole = read(Buffer.from(uartLog(one) + uartLog(two)));
    const lastCut = read(Buffer.from(`${uartLog(one)}${cut(two)}\r\n`));

    expect(whole).toMatchObject({ crashedTask: 'second', checksum: 'ok' });
    expect(lastCut).toMatchObject({ crashedTask: 'first', checksum: 'ok' });
    expect(lastCut.warnings[0]).toEqual({
      code: 'SEVERAL_DUMPS',
      message: 'The text holds 2 dumps, 1 of them cut; the last whole one was read.',
    });
  });

  it('are read from the larger part when none is whole', () => {
    const report = read(Buffer.from(`${uartLog(one).slice(0, 1200)}\r\n${cut(two)}`));

    expect(report.warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['SEVERAL_DUMPS', 'DUMP_CUT']),
    );
    expect(report.crashedTask).toBe('first');
  });
});

describe('a dump with something in front', () => {
  const dump = elfDump({ machine: 'riscv', tasks: [aTask()] }, 'ELF SHA256 v2.1', CHIP.esp32c3);
  const bin = binDump(xtensa, 'BIN v2', CHIP.esp32);

  it.each([
    ['bytes of something else', bytes(new Uint8Array(100).fill(0xff), dump), dump],
    ['its first bytes doubled', bytes(dump.subarray(0, 4), dump), dump],
    ['its first bytes doubled, in the old format', bytes(bin.subarray(0, 4), bin), bin],
  ])('is read: %s', (_, upload, raw) => {
    expect(substance(read(upload))).toEqual(substance(read(raw)));
    expect(codes(upload)).toEqual(['TEXT_WITH_DUMP']);
  });

  it('is read without the beginning of its header, and says so', () => {
    const report = read(dump.subarray(4));

    expect(report).toMatchObject({ crashedTask: 'main', checksum: 'absent', chip: 'esp32c3' });
    expect(codes(dump.subarray(4))).toEqual(['DUMP_DAMAGED']);
  });
});

describe('dumps of IDF before 3.2', () => {
  const payload = binDump(xtensa, 'BIN v1', CHIP.esp32).subarray(16);
  const size = 12 + 0x154 + 0x100;
  const unversioned = bytes(12 + size, 1, 0x154, payload.subarray(0, size));
  const framed = bytes(0xe32c04ed, 12 + size + 8, 1, 0x154, payload.subarray(0, size), 0xe32c04ed);

  it('are read from the UART and from flash', () => {
    for (const upload of [unversioned, framed, bytes(framed, new Uint8Array(4096).fill(0xff))]) {
      expect(read(upload)).toMatchObject({
        format: 'BIN v0',
        chip: 'esp32',
        crashedTask: 'main',
        checksum: 'absent',
      });
      expect(codes(upload)).toEqual([]);
    }
  });

  it('are cut like others', () => {
    expect(() => read(framed.subarray(0, 500))).toThrow('Not even the crashed task is whole');
  });
});

describe('what is no dump', () => {
  const elf = readFileSync(fixture('thermostat-1.0.0').elfPath);
  const dump = elfDump({ machine: 'riscv', tasks: [aTask()] }, 'ELF SHA256 v2.1', CHIP.esp32c3);

  it.each([
    ['a PNG image', bytes(Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), new Uint8Array(64)), 'PNG'],
    ['a minidump', bytes('MDMP', words(0xa793, 1, 2), new Uint8Array(64)), 'minidump'],
    ['a dump of Zephyr', bytes(Buffer.from([0x5a, 0x45, 2, 0, 3, 0, 5, 0]), new Uint8Array(64)), 'Zephyr'],
    ['lines of Zephyr', bytes('E: #CD:BEGIN#\r\nE: #CD:5a4502000300\r\nE: #CD:END#\r\n'), 'Zephyr'],
    ['a dump of Memfault', bytes('CORE', words(2, 1024), new Uint8Array(512).fill(7)), 'Memfault'],
    [
      'a chunk of Memfault',
      bytes(Buffer.from([0x48, 1, 0xf4, 8]), 'CORE', words(2, 1024), new Uint8Array(64)),
      'Memfault',
    ],
    ['a firmware image', bytes(Buffer.from([0xe9, 6, 2, 0x20]), new Uint8Array(600)), 'firmware image'],
    ["the firmware's ELF", elf, 'is it the firmware?'],
    ['an NVS partition', bytes(words(0xfffffffe, 0, 0xfffffffe), new Uint8Array(64).fill(0xff)), 'NVS'],
    ['a web page', bytes('<html><body><h1>502 Bad Gateway</h1></body></html>\n'), '502 Bad Gateway'],
    ['a JSON error', bytes('{"error":{"code":"UNAVAILABLE","message":"later"}}'), 'JSON'],
    ['an exception of an ESP8266', bytes('Exception (28):\r\nepc1=0x40201234\r\n>>>stack>>>\r\n'), 'ESP8266'],
    [
      'a multipart form',
      bytes('--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n', dump, '\r\n--x--'),
      '--data-binary',
    ],
    ['what curl -d sends', dump.filter((byte) => byte !== 0 && byte !== 10 && byte !== 13), '--data-binary'],
    ['markers around nothing', bytes(`${START}\r\n${END}\r\n`), 'missing'],
    ['a core of another machine', elfFile(62, []), 'machine 0x3e'],
    [
      'base64 of an image',
      bytes(Buffer.from(bytes('\x89PNG', new Uint8Array(300))).toString('base64')),
      'known',
    ],
  ])('is named, also by a peek: %s', (_, upload, message) => {
    expect(() => read(upload)).toThrow(UnreadableDump);
    expect(() => read(upload)).toThrow(message);
    expect(() => peekDump(upload)).toThrow(message);
  });
});

const areMissing =
  findCaseFile('esp32-elf-head', 'dump.bin') === null || findCaseFile('field', 'x-plain.txt') === null;

describe.skipIf(areMissing)(
  `files as people have them${areMissing ? ` (skipped: none in ${SEARCHED})` : ''}`,
  () => {
    const given = (name: string, file: string) => readFileSync(findCaseFile(name, file) ?? file);
    const same = [
      'x-plain.txt',
      'x-pio-time.txt',
      'x-arduino-time.txt',
      'x-md-quote.txt',
      'x-utf8bom.txt',
      'x-hex-lines-log.txt',
      'x-xxd.txt',
      'x-nopad.b64',
      'x-two-first-cut.txt',
      'x-one-char-lost.txt',
    ];

    it.each(same)('%s gives the report of the raw dump', (name) => {
      expect(substance(read(given('field', name)))).toEqual(
        substance(read(given('esp32-elf-head', 'dump.bin'))),
      );
    });

    it.each([
      ['x-one-char-lost.txt', 'DUMP_HAS_GAPS', '1416 to 1463'],
      ['x-two-first-cut.txt', 'SEVERAL_DUMPS', '1 of them cut'],
    ])('%s has one warning, of what is wrong with it', (name, code, words) => {
      const warnings = read(given('field', name)).warnings.filter(
        (warning) => warning.code !== 'NO_FIRMWARE',
      );
      expect(warnings).toMatchObject([{ code, message: expect.stringContaining(words) }]);
    });
  },
);

describe('a boot log without a crash', () => {
  it('is named as text, whatever name in it has letters of base64', () => {
    const log =
      'ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\nrst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\n';

    expect(() => read(Buffer.from(log))).toThrow(
      'This is text, but no base64 or hexadecimal core dump is in it.',
    );
  });
});

describe('hostile text', () => {
  const LENGTH = 1 << 18;

  it.each([
    ['one letter', 'A'],
    ['digits', '0'],
    ['blanks', ' '],
    ['padding', '='],
    ['a pair and padding', 'QQ=='],
    ['lines of one letter', 'A\n'],
    ['lines of a digit and a blank', '0 '],
    ['numbers and blanks', '1 22 333 '],
    ['escapes', '\\'],
    ['terminal sequences', '\u001b[0;'],
    ['START lines', `${START}\n`],
    ['START and END lines', `${START}\n${END}\n`],
    ['START and a line', `${START}\nQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n`],
    ['bytes', '7f 45 4c 46 '],
    ['offsets', '00000010: 7f45 4c46\n'],
    ['repeated lines', '00000000  7f\n*\n'],
    ['JSON', '{"a":"'],
    ['doubtful lines', `HELP\n${'QUJD'.repeat(16)}\n`],
    ['damaged lines', `${'QUJD'.repeat(15)}QUI\n`],
    ['log lines', 'I (1) a: QUJDQUJD b\n'],
  ])('is read in bounded time: much of %s', (_, unit) => {
    const text = Buffer.from(unit.repeat(Math.ceil(LENGTH / unit.length)));
    const spentMs = cpuClock();

    expect(() => read(text)).toThrow(UnreadableDump);
    expect(spentMs()).toBeLessThan(5_000);
  });

  it('is read in bounded time: a session of megabytes before the dump', () => {
    const dump = elfDump({ machine: 'riscv', tasks: [aTask()] }, 'ELF SHA256 v2.1', CHIP.esp32c3);
    const session = 'I (1234) wifi: beacon timeout 0x3ffb1234 aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=\n'.repeat(
      200_000,
    );
    const spentMs = cpuClock();

    expect(read(Buffer.from(session + uartLog(dump))).crashedTask).toBe('main');
    expect(spentMs()).toBeLessThan(5_000);
  });
});

function attempt(core: Uint8Array) {
  try {
    return read(core);
  } catch (error) {
    if (error instanceof UnreadableDump) return null;
    throw error;
  }
}
