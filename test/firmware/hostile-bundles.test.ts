import { Readable } from 'node:stream';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aFirmwareElf } from '../support/firmware.js';
import { aFirmwareService } from '../support/firmware-service.js';
import { aZip, type ZipEntry, zip64Extra } from '../support/hostile-zip.js';

const MIB = 1024 * 1024;
const elf = aFirmwareElf();
const theElf: ZipEntry = { name: 'thermostat.elf', content: elf };

describe('a ZIP archive is refused', () => {
  it.each<[why: string, entries: ZipEntry[], says: string]>([
    ['that leads out of itself', [theElf, { name: '../../etc/cron.d/x' }], 'leads out of the archive'],
    ['that leads out of itself by a detour', [theElf, { name: 'a/../../x' }], 'leads out of the archive'],
    ['with an absolute name', [theElf, { name: '/etc/passwd' }], 'absolute name'],
    ['with a drive letter', [theElf, { name: 'C:/autoexec.bat' }], 'absolute name'],
    ['with backslashes', [theElf, { name: '..\\..\\x' }], 'backslash'],
    ['with a NUL in a name', [theElf, { name: 'x.elf\0.txt' }], 'control characters'],
    ['with an endless name', [theElf, { name: 'x'.repeat(2_000) }], 'more than 1024 characters'],
    [
      'with a symbolic link',
      [theElf, { name: 'link', content: '/etc/passwd', mode: 0o120777 }],
      'symbolic link',
    ],
    ['with a device node', [theElf, { name: 'null', mode: 0o020666 }], 'neither a file nor a folder'],
    ['with a name twice', [theElf, theElf], '"thermostat.elf" twice'],
    ['with names that differ in case only', [theElf, { name: 'Thermostat.ELF' }], 'clash'],
    ['with names that differ in nothing', [theElf, { name: './/thermostat.elf' }], 'clash'],
    ['with names that differ in composition', [theElf, { name: 'é' }, { name: 'e\u0301' }], 'clash'],
    [
      'with two ELFs of the name',
      [theElf, { ...theElf, name: 'a/thermostat.elf' }],
      'two files thermostat.elf',
    ],
    ['that is encrypted', [{ ...theElf, flags: 1 }], 'encrypted'],
    ['that is strongly encrypted', [{ ...theElf, flags: 0x41 }], 'encryption'],
    ['with unknown compression', [{ ...theElf, method: 14 }], 'compressed by method 14'],
    ['that names a file differently inside', [{ ...theElf, localName: 'innocent.elf' }], 'another name'],
    ['that says too little', [{ ...theElf, declaredSize: 10 }], 'damaged'],
    ['that says too much', [{ ...theElf, declaredSize: elf.length + 1 }], 'damaged'],
    ['with a wrong checksum', [{ ...theElf, checksum: 7 }], 'wrong checksum'],
    [
      'whose entries share bytes',
      [theElf, { name: 'again', sharesBytesOf: 0, localName: 'again' }],
      'another name',
    ],
    ['without an ELF', [{ name: 'README.txt' }], 'has no thermostat.elf: add the ELF'],
    [
      'with one ELF of another name',
      [{ ...theElf, name: 'out/kettle.elf' }],
      '"out/kettle.elf": rename it to thermostat.elf',
    ],
    [
      'with many ELFs of other names',
      [
        { ...theElf, name: 'a.elf' },
        { ...theElf, name: 'b.elf' },
      ],
      'among its 2 ELF files',
    ],
    [
      'whose ELF is a folder',
      [{ name: 'thermostat.elf/', mode: 0o040755, method: 0 }],
      'has no thermostat.elf',
    ],
    ['whose ELF is a ZIP archive', [{ ...theElf, content: aZip([theElf]) }], 'is itself a ZIP archive'],
    ['whose ELF is an application image', [{ ...theElf, content: '\xe9\x05\x02\x20' }], 'is not an ELF file'],
    ['whose ELF is empty', [{ ...theElf, content: '' }], 'is not an ELF file'],
    ['whose ELF is text', [{ ...theElf, content: 'hello' }], 'is not an ELF file'],
    ['without entries', [], 'has no thermostat.elf'],
  ])('%s', async (_, entries, says) => {
    expect(await refusalOf(aZip(entries))).toContain(says);
  });

  it('whose entries overlap, as those of a bomb do that unpacks one kernel under many names', async () => {
    expect(await refusalOf(overlapping(100))).toContain('share the same bytes');
  });

  it('whose entries reach into its table of contents', async () => {
    const zip = aZip([{ ...theElf, method: 0 }]);
    const directory = zip.indexOf('PK\x01\x02', 0, 'latin1');
    for (const field of [20, 24]) zip.writeUInt32LE(elf.length + 20, directory + field);

    expect(await refusalOf(zip)).toContain('share the same bytes');
  });

  it('with more than 10,000 entries', async () => {
    const many = Array.from({ length: 10_001 }, (_, index) => ({ name: `${index}`, method: 0 }));

    expect(await refusalOf(aZip(many))).toContain('10001 entries');
    expect(await refusalOf(aZip([theElf], { declaredEntries: 65_535 }))).toContain('65535 entries');
  });

  it('with fewer entries than it says', async () => {
    expect(await refusalOf(aZip([theElf], { declaredEntries: 2 }))).toContain('damaged');
  });

  it('with a table of contents that is mostly padding', async () => {
    const padded = Array.from({ length: 80 }, (_, index) => ({
      name: `${index}`,
      extra: Buffer.alloc(60_000, Buffer.from([0xff, 0xff, 0, 0])),
    }));

    expect(await refusalOf(aZip(padded), { maxFirmwareBytes: 8 * MIB })).toContain('table of contents');
  });

  it.each([0n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n])(
    'whose ZIP64 offsets point to %s, without harm to the server',
    async (offset) => {
      const zip = aZip([{ ...theElf, extra: zip64Extra(offset) }]);
      zip.writeUInt32LE(0xffffffff, zip.indexOf('PK\x01\x02', 0, 'latin1') + 42);
      const isInPlace = offset === 0n;

      if (isInPlace) await expect(accepted(zip)).resolves.toMatchObject({ version: '1.0.0' });
      else expect(await refusalOf(zip)).toContain('damaged');
    },
  );

  it('whose ZIP64 end record lies outside, without harm to the server', async () => {
    const zip = aZip([theElf]);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(2n ** 63n, 8);
    const end = zip.length - 22;

    expect(await refusalOf(Buffer.concat([zip.subarray(0, end), locator, zip.subarray(end)]))).toContain(
      'points outside',
    );
  });

  it('that is cut anywhere', async () => {
    const zip = aZip([theElf, { name: 'version.json', content: '"1.0.0"' }]);
    const service = await aFirmwareService();

    for (let length = 1; length < zip.length; length += 7) {
      await expect(service.upload(zip.subarray(0, length))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    }
    expect(service.unfinished()).toEqual([]);
  });
});

describe('a bundle is refused', () => {
  it.each([
    ['that is empty', '', 'neither a ZIP archive nor an ELF'],
    ['that is text', '<html>', 'neither a ZIP archive nor an ELF'],
    ['that is shorter than any magic', '\x7fEL', 'neither a ZIP archive nor an ELF'],
    ['that is an application image', Buffer.from([0xe9, 5, 2, 0x20]), 'application image (.bin)'],
    ['that is cut off', elf.subarray(0, 40), 'not the firmware'],
    ['that is a 64-bit ELF', patched(4, 2), 'not the firmware'],
    ['that is a big-endian ELF', patched(5, 2), 'not the firmware'],
    ['that is an ELF for x86', patched(18, 3), 'not the firmware'],
  ])('%s', async (_, bytes, says) => {
    expect(await refusalOf(Buffer.from(bytes))).toContain(says);
  });
});

describe('a bomb costs little', () => {
  it('when it says how large it is: nothing is inflated', async () => {
    const zip = bomb(200 * MIB, 200 * MIB);

    const { refusal, grownBytes } = await measured(zip, 16 * MIB);

    expect(refusal).toContain('its files inflate to more than');
    expect(grownBytes).toBeLessThan(32 * MIB);
  });

  it('when it stays below the limit for all files: no real ELF deflates so well', async () => {
    const zip = bomb(200 * MIB, 200 * MIB);

    const { refusal, grownBytes } = await measured(zip, 64 * MIB);

    expect(refusal).toContain('more than 100 times');
    expect(grownBytes).toBeLessThan(32 * MIB);
  });

  it('when it lies about its size: inflating stops there', async () => {
    const zip = bomb(200 * MIB, 100_000);

    const { refusal, grownBytes } = await measured(zip, 16 * MIB);

    expect(refusal).toContain('damaged');
    expect(grownBytes).toBeLessThan(32 * MIB);
  });

  it('when it is a bundle without end: it is left at the limit', async () => {
    const { upload, unfinished } = await aFirmwareService({ maxFirmwareBytes: 8 * MIB });
    let sent = 0;
    const endless = new Readable({
      highWaterMark: 65_536,
      read() {
        sent += 65_536;
        // The endpoint cuts at its own limit; what matters here is how little is taken in before the refusal.
        this.push(sent > 64 * MIB ? null : Buffer.alloc(65_536));
      },
    });

    await expect(upload(endless)).rejects.toMatchObject({ code: 'TOO_LARGE' });

    expect(sent).toBeLessThan(9 * MIB);
    expect(unfinished()).toEqual([]);
  });

  it('a large honest ELF is never whole in memory', async () => {
    const { upload } = await aFirmwareService({ maxFirmwareBytes: 64 * MIB });
    const padding = 60 * MIB;
    async function* large() {
      yield elf;
      for (let sent = 0; sent < padding; sent += 65_536) yield Buffer.alloc(65_536);
    }

    const peak = await peakGrowth(async () => {
      const { size } = await upload(Readable.from(large(), { objectMode: false }));
      expect(size).toBe(elf.length + padding);
    });

    expect(peak).toBeLessThan(40 * MIB);
  });
});

describe('whatever the bytes', () => {
  it('a mutated archive is either taken or refused with a sentence', async () => {
    const zip = aZip([
      theElf,
      { name: 'version.json', content: '"1.0.0"', method: 0 },
      { name: 'x/', method: 0 },
    ]);
    const service = await aFirmwareService();
    const mutation = fc.record({
      at: fc.nat(zip.length - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        const mutated = Buffer.from(zip);
        for (const { at, bytes } of mutations) mutated.set(bytes.subarray(0, zip.length - at), at);
        const outcome = await service.upload(mutated).then(
          () => 'taken',
          (error: { code?: string }) => error.code,
        );
        expect(['taken', 'BAD_USER_INPUT', 'CONFLICT']).toContain(outcome);
      }),
      { numRuns: 300 },
    );

    expect(service.unfinished()).toEqual([]);
  });
});

async function refusalOf(bundle: Uint8Array, limits: { maxFirmwareBytes?: number } = {}): Promise<string> {
  const service = await aFirmwareService(limits);
  const error: unknown = await service.upload(bundle).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(service.elfs()).toEqual([]);
  expect(service.unfinished()).toEqual([]);
  return error instanceof Error ? error.message : '';
}

async function accepted(bundle: Uint8Array) {
  return (await aFirmwareService()).upload(bundle);
}

function patched(offset: number, value: number): Buffer {
  const bytes = Buffer.from(elf);
  bytes[offset] = value;
  return bytes;
}

/** One deflated kernel and many entries whose data all end with it, each one's reaching over the next one's header. */
function overlapping(count: number): Buffer {
  const zip = aZip(
    Array.from({ length: count }, (_, index) => ({ name: `${index}.elf`.padStart(8, '0'), method: 0 })),
  );
  let directory = zip.indexOf('PK\x01\x02', 0, 'latin1');
  const dataEnd = directory;
  for (let index = 0; index < count; index += 1) {
    const size = dataEnd - zip.readUInt32LE(directory + 42) - 38;
    for (const field of [20, 24]) zip.writeUInt32LE(size, directory + field);
    directory += 46 + 8;
  }
  return zip;
}

/** An ELF header, then zeros: deflated about a thousand times smaller. */
function bomb(size: number, declaredSize: number): Buffer {
  const content = Buffer.alloc(size);
  elf.copy(content);
  const zip = aZip([{ name: 'thermostat.elf', content: deflateRawSync(content), method: 0 }]);
  // Relabelled as deflated, so that the builder does not have to hold it twice.
  for (const [signature, method, sizes] of [
    ['PK\x03\x04', 8, 14],
    ['PK\x01\x02', 10, 16],
  ] as const) {
    const at = zip.indexOf(signature, 0, 'latin1');
    zip.writeUInt16LE(8, at + method);
    zip.writeUInt32LE(crc32(content), at + sizes);
    zip.writeUInt32LE(declaredSize, at + sizes + 8);
  }
  return zip;
}

async function measured(zip: Buffer, maxFirmwareBytes: number) {
  const { upload } = await aFirmwareService({ maxFirmwareBytes });
  let refusal = '';
  const grownBytes = await peakGrowth(async () => {
    const error: unknown = await upload(zip).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
    refusal = error instanceof Error ? error.message : '';
  });
  return { refusal, grownBytes };
}

/** How far the resident memory of this process rose above where it began. */
async function peakGrowth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const sample = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(sample);
  }
  return Math.max(peak, process.memoryUsage.rss()) - before;
}
