import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openFirmware, readFirmwareIdentity, UnreadableFirmware } from '../../src/crashdump/index.js';
import { ALLOC, anElf, concat, EXEC, MACHINE, type SectionSpec, words } from './elf/builders.js';

/** `esp_app_desc_t` as far as it is read. */
function appDescriptor(texts: { version: string; project: string; idf: string }): Uint8Array {
  const field = (text: string, size: number) => {
    const bytes = new Uint8Array(size);
    bytes.set(Buffer.from(text));
    return bytes;
  };
  return concat(
    words(0xabcd5432, 0, 0, 0),
    field(texts.version, 32),
    field(texts.project, 32),
    field('12:00:01', 16),
    field('Jan 15 2026', 16),
    field(texts.idf, 32),
    new Uint8Array(112),
  );
}

const descriptor = appDescriptor({ version: '1.2.3', project: 'thermostat', idf: 'v5.3' });
const labels = {
  version: '1.2.3',
  projectName: 'thermostat',
  time: '12:00:01',
  date: 'Jan 15 2026',
  idfVersion: 'v5.3',
};
const WRITE = 0x1;
const code = (address: number): SectionSpec => ({
  name: '.iram0.text',
  bytes: Uint8Array.of(1, 2, 3, 4),
  flags: ALLOC | EXEC,
  address,
});

async function identify(bytes: Uint8Array) {
  const reads: number[] = [];
  const identity = await readFirmwareIdentity(async (offset, length) => {
    reads.push(length);
    return bytes.subarray(offset, offset + length);
  }, bytes.length);
  return { identity, bytesRead: reads.reduce((sum, length) => sum + length, 0) };
}

describe('an opened firmware', () => {
  it('is identified by the hash of its bytes', () => {
    const bytes = anElf();

    expect(openFirmware(bytes).sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('gives the bytes that it holds, and none beyond', () => {
    const image = openFirmware(anElf({ sections: [code(0x40380000)] }));

    expect(image.readAt(0x40380001, 3)).toEqual(Uint8Array.of(2, 3, 4));
    expect(image.readAt(0x40380001, 4)).toBeNull();
    expect(image.readAt(0x4037ffff, 2)).toBeNull();
  });

  it('has no values of variables: what they began with is not what the device had', () => {
    const section = (name: string, flags: number, address: number) => ({ ...code(address), name, flags });
    const image = openFirmware(
      anElf({
        sections: [
          section('.dram0.data', ALLOC | WRITE, 0x3fc80000),
          section('.iram0.text', ALLOC | WRITE | EXEC, 0x40380000),
          section('.flash.rodata', ALLOC | WRITE, 0x3c000000),
        ],
      }),
    );

    expect(image.readAt(0x3fc80000, 4)).toBeNull();
    expect(image.readAt(0x40380000, 4)).not.toBeNull();
    expect(image.readAt(0x3c000000, 4)).not.toBeNull();
  });

  it.each(['.flash.appdesc', '.flash.rodata'])('has the labels of its build in %s', (name) => {
    const image = openFirmware(anElf({ sections: [{ name, bytes: descriptor, flags: ALLOC }] }));

    expect(image.appDescriptor).toEqual(labels);
  });

  it('has none when the magic is missing or the section is cut', () => {
    const without = { name: '.flash.appdesc', bytes: descriptor.with(0, 0) };
    const cut = { name: '.flash.appdesc', bytes: descriptor.subarray(0, 100) };

    expect(openFirmware(anElf({ sections: [without] })).appDescriptor).toBeNull();
    expect(openFirmware(anElf({ sections: [cut] })).appDescriptor).toBeNull();
  });

  it('answers with nothing, not with errors, when it has no debug information', () => {
    const image = openFirmware(anElf({ sections: [code(0x40380000)] }));

    expect(image.framesAt(0x40380000)).toEqual([]);
    expect(image.cfiAt(0x40380000)).toBeNull();
    expect(image.structMember('tskTaskControlBlock', 'pxStack')).toBeNull();
    expect(image.notes()).toEqual([]);
  });
});

describe('the identity of a firmware', () => {
  it('is read in small pieces, however large the file is', async () => {
    const large = { name: '.debug_info', bytes: new Uint8Array(4_000_000) };
    const sections = [large, { name: '.flash.appdesc', bytes: descriptor, flags: ALLOC }];

    const { identity, bytesRead } = await identify(anElf({ sections }));

    expect(identity).toEqual({
      machine: 'riscv',
      chips: expect.arrayContaining(['esp32c3']),
      chip: null,
      appDescriptor: labels,
      lacks: expect.any(Array),
    });
    expect(bytesRead).toBeLessThan(2_000);
  });

  it.each([
    ['esp32', MACHINE.xtensa, 0x40080400],
    ['esp32s2', MACHINE.xtensa, 0x40024400],
    ['esp32s3', MACHINE.xtensa, 0x40374400],
    ['esp32p4', MACHINE.riscv, 0x4ff00000],
    [null, MACHINE.riscv, 0x40380000],
  ])('names the chip where addresses tell: %s', async (chip, machine, address) => {
    const { identity } = await identify(anElf({ machine, sections: [code(address)] }));

    expect(identity.chip).toBe(chip);
  });

  it('is refused to what is no firmware, wherever it is cut', async () => {
    const whole = anElf({ sections: [{ name: '.flash.appdesc', bytes: descriptor }] });

    await expect(identify(Uint8Array.from(Buffer.from('PK\u0003\u0004')))).rejects.toThrow(
      UnreadableFirmware,
    );
    for (let length = 0; length < whole.length; length += 13) {
      await expect(identify(whole.subarray(0, length))).rejects.toThrow(UnreadableFirmware);
    }
  });
});
