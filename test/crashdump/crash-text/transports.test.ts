import { describe, expect, it } from 'vitest';
import { readCrashText } from '../../../src/crashdump/crash-text/read-crash-text.js';
import { ADDRESS_LISTS, OTHER_SHAPES } from './other-shapes.js';
import { IDF_SHAPES } from './shapes.js';
import { JSON_TRANSPORTS, TRANSPORTS } from './transports.js';

const SHAPES = [...IDF_SHAPES, ...OTHER_SHAPES];

describe('a text of others than ESP-IDF', () => {
  it.each([...OTHER_SHAPES, ...ADDRESS_LISTS])('is read: $name', ({ text, expected }) => {
    expect(readCrashText(Buffer.from(text))).toEqual(expected);
  });
});

describe.each([...TRANSPORTS, ...JSON_TRANSPORTS])(
  'every text is the same in $name',
  ({ wrap, isOfLines }) => {
    it.each(SHAPES.filter(({ isOneLine }) => isOfLines !== true || isOneLine !== true))(
      '$name',
      ({ text, expected }) => {
        const read = readCrashText(wrap(text));

        expect(read === null ? null : { ...read, logLines: [] }).toEqual({ ...expected, logLines: [] });
      },
    );
  },
);

/** With lines of others around, numbers are numbers. */
const ALONE = ['a logger of nobody known', 'a long session before it', 'JSON in JSON'];

describe.each([...TRANSPORTS, ...JSON_TRANSPORTS].filter(({ name }) => !ALONE.includes(name)))(
  'a list is the same in $name',
  ({ wrap }) => {
    it.each(ADDRESS_LISTS)('$name', ({ text, expected }) => {
      const read = readCrashText(wrap(text));

      expect(read?.cores).toEqual(expected.cores);
    });
  },
);
