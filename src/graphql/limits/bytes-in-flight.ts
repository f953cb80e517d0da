/** Threads that make answers: the main thread and the query thread. */
const THREADS = 2;
type Place = 0 | 1;
export const [MAIN_THREAD, QUERY_THREAD]: readonly [Place, Place] = [0, 1];

/** Bytes of answers that are being made or sent, of all threads together. */
export interface BytesInFlight {
  readonly total: number;
  add(bytes: number): void;
}

/** Shared memory with one slot per thread. When a thread ends, its slot is cleared. */
export function sharedBytes(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(THREADS * Int32Array.BYTES_PER_ELEMENT));
}

export function createBytesInFlight(memory = sharedBytes(), place = MAIN_THREAD): BytesInFlight {
  Atomics.store(memory, place, 0);
  return {
    get total() {
      return Atomics.load(memory, MAIN_THREAD) + Atomics.load(memory, QUERY_THREAD);
    },
    add: (bytes) => void Atomics.add(memory, place, bytes),
  };
}
