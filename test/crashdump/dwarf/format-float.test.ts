import { describe, expect, it } from 'vitest';
import { formatComplex, formatFloat } from '../../../src/crashdump/dwarf/format-float.js';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex')).reverse();

/** As GDB 13.1 prints the same bits. */
describe('floating-point numbers', () => {
  it.each([
    ['2e66', '0.099976'],
    ['3c00', '1'],
    ['0001', '5.9605e-08'],
    ['fc00', '-inf'],
    ['3dcccccd', '0.100000001'],
    ['7fc00000', 'nan(0x400000)'],
    ['ffc00001', '-nan(0x400001)'],
    ['7ff8000000000000', 'nan(0x8000000000000)'],
    ['fff8000000000000', '-nan(0x8000000000000)'],
    ['8000000000000000', '-0'],
  ])('0x%s is %s', (hex, expected) => {
    expect(formatFloat(bytes(hex))).toBe(expected);
  });

  it('may be the parts of a complex one', () => {
    expect(formatComplex(Uint8Array.from([...bytes('3f800000'), ...bytes('c0200000')]))).toBe('1 + -2.5i');
  });
});
