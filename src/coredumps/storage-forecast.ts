import { HOUR_MS } from '../platform/durations.js';

/** What the disk and the account of stored bytes said at a moment. */
export interface StorageSample {
  atMs: number;
  storedBytes: number;
  /** Null where it cannot be known: a bucket. */
  freeBytes: number | null;
}

/** Long enough that a burst of crashes is not taken for the rate of a fleet. */
const WINDOW_MS = 6 * HOUR_MS;

/**
 * When the storage will be full if it goes on as in the last hours: by the limit that is set, or by the disk's free
 * bytes, whichever is first.
 */
export function createStorageForecast({ maxBytes }: { maxBytes: number | null }) {
  const samples: StorageSample[] = [];

  return {
    add(sample: StorageSample): void {
      samples.push(sample);
      while (sample.atMs - (samples[0]?.atMs ?? sample.atMs) > WINDOW_MS) samples.shift();
    },

    /** Infinity while nothing grows, or too little is known. */
    secondsUntilFull(): number {
      const first = samples[0];
      const last = samples.at(-1);
      if (first === undefined || last === undefined || last.atMs <= first.atMs)
        return Number.POSITIVE_INFINITY;
      const seconds = (last.atMs - first.atMs) / 1000;
      const byLimit = until(
        maxBytes === null ? null : maxBytes - last.storedBytes,
        (last.storedBytes - first.storedBytes) / seconds,
      );
      const byDisk = until(
        last.freeBytes,
        first.freeBytes === null || last.freeBytes === null
          ? 0
          : (first.freeBytes - last.freeBytes) / seconds,
      );
      return Math.min(byLimit, byDisk);
    },
  };
}

function until(bytesLeft: number | null, bytesPerSecond: number): number {
  if (bytesLeft === null) return Number.POSITIVE_INFINITY;
  if (bytesLeft <= 0) return 0;
  return bytesPerSecond <= 0 ? Number.POSITIVE_INFINITY : bytesLeft / bytesPerSecond;
}
