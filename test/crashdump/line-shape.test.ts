import { describe, expect, it } from 'vitest';
import { lineReader, shapeOf } from '../../src/crashdump/core/transport/line-shape.js';

function readerOf(prefix: string) {
  const shape = shapeOf(prefix, '');
  if (shape === null) throw new Error('the prefix is too long');
  return lineReader(shape, /[A-Za-z]+/);
}

describe('the shape of lines', () => {
  it('takes any number and any blank of a prefix', () => {
    const read = readerOf('[12:00:01] 0x3ffb > ');

    expect(read('[9:59:3]  0xA \t> payload')).toEqual({ rest: 'payload', payload: 'payload' });
    expect(read('[9:59:3] > payload')).toBeNull();
  });

  it('knows a number sign in a prefix', () => {
    expect(readerOf('### ')('### payload')?.payload).toBe('payload');
  });

  it('does not try all ways to divide a run of digits', () => {
    // 64 number signs would be 64 numbers, and 200 digits can be divided into them in more ways than there is time for.
    const read = readerOf(`${'#'.repeat(64)}!`);

    expect(read('1'.repeat(200))).toBeNull();
  });
});
