/** Positions use the lower bits of a key, so that 32-bit numbers and their positions fit into 53 bits. */
const MAX_KEYS = 2 ** 21;

/**
 * The positions of the keys in ascending order; equal keys keep their order. One native sort of numbers, without an
 * object or a call per key.
 * @param keys whole numbers from 0 to 2 ** 32; keys beyond two million are omitted
 */
export function ascending(keys: ArrayLike<number>): Uint32Array {
  const count = Math.min(keys.length, MAX_KEYS);
  const packed = new Float64Array(count);
  for (let at = 0; at < count; at++) packed[at] = (keys[at] ?? 0) * MAX_KEYS + at;
  packed.sort();
  return Uint32Array.from(packed, (key) => key % MAX_KEYS);
}

/** Index of the last of the ascending keys that is not above `place`; -1 when all are. */
export function lastAtOrBefore(keys: ArrayLike<number>, place: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
