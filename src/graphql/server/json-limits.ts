import { type Excess, tooMuch } from '../limits/argument-limits.js';

/** A document with its variables, as a body or as one WebSocket message. Bundles are multipart and not limited here. */
export const MAX_JSON_BYTES = 128 * 1024;

/** Nesting of objects and lists: ten levels in variables, and the levels around them. */
const MAX_NESTING = 32;
/** Number of commas, which is one less than the values of a list: a list in variables has at most 200 values. */
const MAX_VALUES = 5_000;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Checks whether JSON is costly to parse, in one pass over its bytes. `JSON.parse` needs far more time for nested
 * brackets than for text of the same length, and blocks the event loop meanwhile.
 *
 * @param bytes UTF-8; the parser checks later whether they are valid JSON
 * @returns null when they are within the limits
 */
export function excessOfJson(bytes: Uint8Array): Excess | null {
  let nesting = 0;
  let values = 1;
  let isInString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
      continue;
    }
    switch (byte) {
      case QUOTE:
        isInString = true;
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        nesting += 1;
        if (nesting > MAX_NESTING) {
          return tooMuch(
            'nesting',
            MAX_NESTING,
            `A request nests at most ${MAX_NESTING} objects and lists in each other; this one nests more.`,
          );
        }
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        nesting -= 1;
        break;
      case COMMA:
        values += 1;
        if (values > MAX_VALUES) {
          return tooMuch(
            'values',
            MAX_VALUES,
            `A request has at most ${MAX_VALUES} values in its JSON; this one has more.`,
          );
        }
        break;
    }
  }
  return null;
}
