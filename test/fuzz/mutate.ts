/** Numbers in [0, 1) that follow from the seed alone (mulberry32, by Tommy Ettinger). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values at which lengths, counts, offsets and addresses turn. */
const EDGES = [
  0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
  0xfffffff0, 0xfffffffc, 0xffffffff, 0xdeadbeef, 0x20000000, 0x70000000, 0x3ffb0000, 0x3fc80000, 0x40000000,
  0x42000000,
];

const MAX_MUTATIONS = 8;
/** Inputs stay near the size of real ones: what the upload's limit would refuse is not worth a run. */
const MAX_GROWTH = 64 * 1024;

/**
 * A broken copy of `original`: one to eight mutations of the kinds that files suffer from (bits, words, blocks moved,
 * lost, doubled, from another file, the end cut off).
 */
export function mutate(original: Uint8Array, other: Uint8Array, random: () => number): Uint8Array {
  let bytes = Buffer.from(original);
  const count = 1 + below(MAX_MUTATIONS);
  for (let done = 0; done < count && bytes.length > 0; done++) bytes = mutateOnce(bytes);
  return bytes;

  function mutateOnce(target: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const at = position(target.length);
    switch (below(10)) {
      case 0:
        target[at] = (target[at] ?? 0) ^ (1 << below(8));
        return target;
      case 1:
        target[at] = below(256);
        return target;
      case 2:
      case 3:
        return setWord(target, at & ~3, EDGES[below(EDGES.length)] ?? 0);
      case 4: {
        const word = at & ~3;
        const nudge = word + 4 <= target.length ? target.readUInt32LE(word) + below(9) - 4 : 0;
        return setWord(target, word, nudge);
      }
      case 5:
        return setWord(target, at & ~3, target.length + below(64) - 32);
      case 6: {
        const length = blockLength(target.length - at);
        return Buffer.concat([target.subarray(0, at), target.subarray(at + length)]);
      }
      case 7: {
        if (target.length > original.length + MAX_GROWTH) return target;
        const from = position(target.length);
        const block = target.subarray(from, from + blockLength(target.length - from));
        return Buffer.concat([target.subarray(0, at), block, target.subarray(at)]);
      }
      case 8: {
        const from = position(other.length);
        target.set(other.subarray(from, from + Math.min(blockLength(256), target.length - at)), at);
        return target;
      }
      default:
        return below(8) === 0 ? target.subarray(0, at) : fill(target, at);
    }
  }

  function fill(target: Buffer<ArrayBuffer>, at: number): Buffer<ArrayBuffer> {
    return target.fill(EDGES[below(EDGES.length)] ?? 0, at, at + blockLength(target.length - at));
  }

  /** Headers decide the most, so every other mutation hits the first 512 bytes. */
  function position(length: number): number {
    return below(random() < 0.5 ? Math.min(length, 512) : length);
  }

  function blockLength(most: number): number {
    return Math.min(most, 1 + below(2 ** (1 + below(12))));
  }

  function below(limit: number): number {
    return Math.floor(random() * limit);
  }
}

function setWord(target: Buffer<ArrayBuffer>, at: number, value: number): Buffer<ArrayBuffer> {
  if (at + 4 <= target.length) target.writeUInt32LE(value >>> 0, at);
  return target;
}
