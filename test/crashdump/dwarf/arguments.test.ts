import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFirmware } from '../../../src/crashdump/firmware/open-firmware.js';

const FIXTURE = new URL('../../fixtures/dwarf/dwarf5.elf', import.meta.url);
const firmware = openFirmware(readFileSync(FIXTURE));
const FIRST_ARGUMENT = 10;
const TEXT_AT = 0x3fc90000;

/** The arguments of a function where it begins: they are in a0, a1, … */
function argumentsAtEntry(name: string, registers: number[], memory: Record<number, Uint8Array> = {}) {
  const pc = firmware.symbol(name)?.address ?? 0;
  const [frame] = firmware.framesAt(pc, {
    pc,
    registers: new Map(registers.map((value, index) => [FIRST_ARGUMENT + index, value >>> 0])),
    cfa: null,
    caller: null,
    readMemory(address, length) {
      for (const [start, bytes] of Object.entries(memory)) {
        const offset = address - Number(start);
        if (offset >= 0 && offset + length <= bytes.length) return bytes.subarray(offset, offset + length);
      }
      return null;
    },
  });
  return Object.fromEntries((frame?.arguments ?? []).map(({ name: argument, value }) => [argument, value]));
}

const text = (characters: string) => ({
  [TEXT_AT]: Uint8Array.from(Buffer.from(`${characters}\0`, 'latin1')),
});
const pointing = (memory: Record<number, Uint8Array>) =>
  argumentsAtEntry('pointers', [TEXT_AT, 0, 0, 0, 0], memory).text;

describe('arguments', () => {
  it('show single bytes as characters too', () => {
    expect(argumentsAtEntry('characters', [0x61, -1, 0x0a, 1, -2])).toEqual({
      letter: "97 'a'",
      small: "-1 '\\377'",
      byte: "10 '\\n'",
      flag: 'true',
      number: '-2',
    });
  });

  it('show enumerators by name, flags by all their names, and other numbers as such', () => {
    expect(argumentsAtEntry('enumerations', [5, 7, 6, 9])).toEqual({
      color: 'GREEN',
      other: '7',
      access: '(WRITE | EXECUTE)',
      stray: '(READ | unknown: 0x8)',
    });
  });

  it('show what pointers point at: text, functions, variables', () => {
    const clamp = firmware.symbol('clamp')?.address ?? 0;
    const counter = firmware.symbol('sink')?.address ?? 0;

    expect(
      argumentsAtEntry('pointers', [TEXT_AT, 0, counter, clamp, 0x3fc91234], text('it\'s "text"')),
    ).toEqual({
      text: `0x3fc90000 "it's \\"text\\""`,
      nothing: '0x0',
      known: `0x${counter.toString(16)} <sink>`,
      call: `0x${clamp.toString(16)} <clamp>`,
      point: '0x3fc91234',
    });
  });

  it('fold repetitions, cut long texts and escape what cannot be shown', () => {
    expect(pointing(text(`a${'-'.repeat(20)}b`))).toBe(`0x3fc90000 "a", '-' <repeats 20 times>, "b"`);
    expect(pointing(text('ab'.repeat(150)))).toBe(`0x3fc90000 "${'ab'.repeat(100)}"...`);
    expect(pointing(text('\u001b[31m\xe9\\'))).toBe('0x3fc90000 "\\033[31m\\351\\\\"');
    expect(pointing(text(''))).toBe('0x3fc90000 ""');
  });

  it('say so when the text is not in the dump', () => {
    expect(pointing({})).toBe('0x3fc90000 <error: Cannot access memory at address 0x3fc90000>');
  });

  it('put numbers together that are wider than a register', () => {
    const bits = new DataView(new ArrayBuffer(12));
    bits.setFloat32(0, 1.5, true);
    bits.setFloat64(4, -1e100, true);
    const [single, low, high] = [0, 4, 8].map((offset) => bits.getUint32(offset, true));

    expect(argumentsAtEntry('wide', [-2, -1, 1, 2, single ?? 0, 0, low ?? 0, high ?? 0])).toMatchObject({
      big: '-2',
      huge: '8589934593',
      single: '1.5',
    });
  });

  it('are optimized out where their register is not known', () => {
    expect(argumentsAtEntry('characters', [0x61])).toMatchObject({
      letter: "97 'a'",
      small: '<optimized out>',
    });
  });

  it('of struct type are not spelled out', () => {
    expect(argumentsAtEntry('structures', [TEXT_AT, TEXT_AT])).toMatchObject({ by_value: '...' });
  });
});
