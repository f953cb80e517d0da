import { describe, expect, it } from 'vitest';
import { readCrashText } from '../../../src/crashdump/crash-text/read-crash-text.js';
import { IDF_SHAPES } from './shapes.js';

describe('a text of ESP-IDF', () => {
  it.each(IDF_SHAPES)('is read: $name', ({ text, expected }) => {
    expect(readCrashText(Buffer.from(text))).toEqual(expected);
  });
});
