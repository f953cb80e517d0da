import { describe, expect, it } from 'vitest';
import { canonicalName } from '../../../src/crashdump/dwarf/canonical-name.js';
import { formatFloat } from '../../../src/crashdump/dwarf/format-float.js';

// What GDB 13 printed for the same bits (`output` of a variable of that type).
describe('floating-point numbers', () => {
  it.each([
    [float32(2.5), '2.5'],
    [float32(1e10), '1e+10'],
    [float32(0.1), '0.100000001'],
    [float64(1 / 3), '0.33333333333333331'],
    [float64(-0), '-0'],
    [float64(1e-5), '1.0000000000000001e-05'],
    [float64(123456789), '123456789'],
    [float64(Number.POSITIVE_INFINITY), 'inf'],
    [float64(Number.NaN), 'nan(0x8000000000000)'],
  ])('of four and eight bytes are written with all their digits: %#', (bytes, text) => {
    expect(formatFloat(bytes)).toBe(text);
  });

  it.each([
    [quadruple(0x3fffn, 0n), '1'],
    [quadruple(0x4000n, 0x92n << 104n), '3.140625'],
    [quadruple(0x414bn, 0x249ad2594c37ceb0b2784c4ce0bfn), '9.99999999999999999999999999999999963e+99'],
    [quadruple(0xbffdn, 0x5555555555555555555555555555n), '-0.333333333333333333333333333333333317'],
    [quadruple(0n, 0n), '0'],
    [quadruple(0x7fffn, 0n), 'inf'],
    [quadruple(0x8000n, 0n), '-0'],
  ])('of sixteen bytes too: %#', (bytes, text) => {
    expect(formatFloat(bytes)).toBe(text);
  });
});

describe('names of templates', () => {
  it.each([
    ['Box<long unsigned int>', 'Box<unsigned long>'],
    ['Box<const char*>', 'Box<char const*>'],
    ['Pack<int, unsigned int, const ns::Foo&>', 'Pack<int, unsigned int, ns::Foo const&>'],
    ['Box<const ns::In<const long long int*>* const>', 'Box<ns::In<long long const*> const* const>'],
    ["Lit<'a'>", "Lit<(char)'a'>"],
    ['Box<short unsigned int const volatile*>', 'Box<unsigned short const volatile*>'],
  ])('are spelled as GDB spells them: %s', (name, spelled) => {
    expect(canonicalName(name)).toBe(spelled);
  });

  it.each(['call<K::m(long int) const::<lambda()> >', 'Box<Pack<> >', 'long_interface', 'operator<< <int>'])(
    'and left alone where GDB does not understand them: %s',
    (name) => {
      expect(canonicalName(name)).toBe(name);
    },
  );
});

function float32(value: number): Uint8Array {
  return new Uint8Array(Float32Array.of(value).buffer);
}

function float64(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer);
}

/** IEEE 754 binary128. @param exponent with the sign as its highest bit */
function quadruple(exponent: bigint, fraction: bigint): Uint8Array {
  const bits = (exponent << 112n) | fraction;
  return Uint8Array.from({ length: 16 }, (_, index) => Number((bits >> BigInt(index * 8)) & 0xffn));
}
