import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, Malformed } from '../../src/crashdump/bytes.js';

const reader = (...bytes: number[]) => new ByteReader('test bytes', Uint8Array.from(bytes), 100);

describe('reading', () => {
  it('moves on by what was read', () => {
    const bytes = reader(1, 2, 0, 3, 0, 0, 4, 0, 0, 0x80);

    expect([bytes.u8(), bytes.u16(), bytes.u24(), bytes.u32()]).toEqual([1, 2, 3, 0x80000004]);
    expect(bytes.atEnd).toBe(true);
  });

  it.each([Number.NaN, -1, 1.5, 5, Number.POSITIVE_INFINITY])(
    'refuses a length of %d and stays where it was',
    (length) => {
      const bytes = reader(1, 2, 3, 4);

      expect(() => bytes.take(length)).toThrow(Malformed);
      expect(bytes.position).toBe(0);
    },
  );

  it('says what it needed, where in the file, and what there was', () => {
    expect(() => reader(1, 2).u32()).toThrow('test bytes: needs 4 bytes at 100, has 2');
  });

  it('keeps a part from leaving its bounds', () => {
    const part = reader(1, 2, 3, 4).slice('part', 1, 2);

    part.skip(2);
    expect(() => part.u8()).toThrow('part: needs 1 bytes at 103, has 0');
    expect(() => part.seek(3)).toThrow(Malformed);
  });
});

describe('LEB128', () => {
  it('gives back what was written, signed and unsigned, up to 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const signed = Uint8Array.from(leb128(value, true));
        const unsigned = Uint8Array.from(leb128(BigInt.asUintN(64, value), false));
        expect(new ByteReader('sleb', signed).wideSleb128()).toBe(value);
        expect(new ByteReader('uleb', unsigned).wideUleb128()).toBe(BigInt.asUintN(64, value));
      }),
    );
  });

  it('agrees in both widths where both can say it', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = Uint8Array.from(leb128(BigInt(value), true));
        expect(new ByteReader('sleb', bytes).sleb128()).toBe(value);
      }),
    );
  });

  it('is refused when it does not end, or is longer than 64 bits', () => {
    for (const bytes of [[0x80, 0x80], new Array<number>(11).fill(0x80)]) {
      expect(() => reader(...bytes).uleb128()).toThrow(Malformed);
      expect(() => reader(...bytes).sleb128()).toThrow(Malformed);
      expect(() => reader(...bytes).skipLeb128()).toThrow(Malformed);
      expect(() => reader(...bytes).wideUleb128()).toThrow(Malformed);
    }
  });
});

function leb128(value: bigint, isSigned: boolean): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const signBit = (low & 0x40) !== 0;
    const isDone = isSigned ? (rest === 0n && !signBit) || (rest === -1n && signBit) : rest === 0n;
    bytes.push(isDone ? low : low | 0x80);
    if (isDone) return bytes;
  }
}
