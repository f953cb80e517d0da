import { type Excess, tooMuch } from '../limits/argument-limits.js';

/** A document with its variables, as a body or as one message of a WebSocket; bundles come as multipart. */
export const MAX_JSON_BYTES = 128 * 1024;

/** Objects and lists within each other: ten in variables, and what is around those. */
const MAX_NESTING = 32;
/** Commas, one less than values: a list of variables has 200 values at most, and there are some lists. */
const MAX_VALUES = 5_000;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Whether JSON has a shape that is costly to parse, found by one pass over its bytes. `JSON.parse` takes far longer for
 * brackets than for text of the same length, and nobody else is served meanwhile.
 *
 * @param bytes UTF-8; whether they are JSON at all, the parser finds out
 * @returns null when all is well
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
