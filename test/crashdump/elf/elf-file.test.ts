import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseElf, UnreadableFirmware } from '../../../src/crashdump/elf/elf-file.js';
import { openFirmware } from '../../../src/crashdump/firmware/open-firmware.js';
import { ALLOC, anElf, COMPRESSED, concat, EXEC, MACHINE, symbolSections, words } from './builders.js';

const code = { name: '.text', bytes: new Uint8Array(16), flags: ALLOC | EXEC, address: 0x42000000 };

describe('files that are no firmware', () => {
  it.each([
    ['a text', Uint8Array.from(Buffer.from('hello')), 'not an ELF'],
    ['an empty file', new Uint8Array(0), 'not an ELF'],
    ['a 64-bit ELF', anElf({ elfClass: 2 }), '64-bit'],
    ['a big-endian ELF', anElf({ encoding: 2 }), 'big-endian'],
    ['a shared library', anElf({ type: 3 }), 'not an executable'],
    ['an ELF for x86', anElf({ machine: 0x3e }), 'neither Xtensa nor RISC-V'],
    ['headers outside the file', anElf({ sectionsAt: 0xfffffff0 }), 'damaged'],
    ['headers of another size', anElf({ sectionEntrySize: 0 }), 'damaged'],
    ['a file that ends in its header', anElf().subarray(0, 40), 'damaged'],
  ])('are refused with one sentence: %s', (_, bytes, sentence) => {
    expect(() => openFirmware(bytes)).toThrow(UnreadableFirmware);
    expect(() => openFirmware(bytes)).toThrow(sentence);
  });
});

describe('sections', () => {
  it('are listed with their names and addresses', () => {
    const { sections, machine } = openFirmware(anElf({ machine: MACHINE.xtensa, sections: [code] }));

    expect(machine).toBe('xtensa');
    expect(sections[0]).toMatchObject({ name: '.text', address: 0x42000000, size: 16, kind: 'progbits' });
  });

  it('go without names when the index of the names is out of range', () => {
    const { sections } = openFirmware(anElf({ sections: [code], namesIndex: 0xffff }));

    expect(sections.map(({ name }) => name)).toEqual(['', '']);
  });

  it('have no contents when they lie outside the file', () => {
    const elf = parseElf(anElf({ sections: [{ ...code, claimedOffset: 0xfffffff0, claimedSize: 0x1000 }] }));

    expect(elf.contents('.text')).toBeNull();
  });

  it('are inflated when they are compressed', () => {
    const bytes = concat(words(1, 5, 1), deflateSync(Buffer.from('hello')));
    const elf = parseElf(anElf({ sections: [{ name: '.debug_str', bytes, flags: COMPRESSED }] }));

    expect(Buffer.from(elf.contents('.debug_str')?.bytes ?? []).toString()).toBe('hello');
  });

  it('are inflated in the older format too', () => {
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(5n);
    const bytes = concat(Buffer.from('ZLIB'), size, deflateSync(Buffer.from('hello')));
    const elf = parseElf(anElf({ sections: [{ name: '.zdebug_str', bytes }] }));

    expect(Buffer.from(elf.contents('.debug_str')?.bytes ?? []).toString()).toBe('hello');
  });

  it.each([
    ['grow beyond what they say', words(1, 100, 1)],
    ['say that they grow beyond all bounds', words(1, 0xffffffff, 1)],
    ['use another method', words(2, 1_000_000, 1)],
  ])('have no contents when compressed ones %s', (_, header) => {
    const bytes = concat(header, deflateSync(Buffer.alloc(1_000_000)));
    const elf = parseElf(anElf({ sections: [{ name: '.debug_info', bytes, flags: COMPRESSED }] }));

    expect(elf.contents('.debug_info')).toBeNull();
  });
});

describe('symbols', () => {
  const withSymbols = (...args: Parameters<typeof symbolSections>) =>
    openFirmware(
      anElf({ sections: [{ ...code, bytes: new Uint8Array(0x100) }, ...symbolSections(...args)] }),
    );

  it('cover the addresses up to their size', () => {
    const image = withSymbols(1, [{ name: 'first', address: 0x42000000, size: 8, section: 1 }]);

    expect(image.symbolAt(0x42000007)?.name).toBe('first');
    expect(image.symbolAt(0x42000008)).toBeNull();
  });

  it('count before nearer labels that have no size', () => {
    const image = withSymbols(1, [
      { name: 'handler', address: 0x42000000, size: 0x40, section: 1 },
      { name: 'label', address: 0x42000010, type: 0, section: 1 },
    ]);

    expect(image.symbolAt(0x42000020)?.name).toBe('handler');
    expect(image.symbolAt(0x42000050)?.name).toBe('label');
  });

  it('of one address give the alphabetically last name', () => {
    const image = withSymbols(1, [
      { name: 'uart_flush_input', address: 0x42000000, size: 8, section: 1 },
      { name: 'uart_flush', address: 0x42000000, size: 8, section: 1 },
    ]);

    expect(image.symbolAt(0x42000004)?.name).toBe('uart_flush_input');
  });

  it('are found by name whatever the table says of its entry size', () => {
    const image = withSymbols(1, [{ name: 'first', address: 0x42000000, size: 8, section: 1 }], 0);

    expect(image.symbol('first')?.address).toBe(0x42000000);
  });

  it('name ROM functions where they begin, and nothing behind', () => {
    const image = withSymbols(1, [{ name: 'ets_printf', address: 0x40040000, type: 0, section: 0xfff1 }]);

    expect(image.symbolAt(0x40040000)?.name).toBe('ets_printf');
    expect(image.symbolAt(0x40040004)).toBeNull();
  });
});
