import { HOUR_MS } from '../platform/durations.js';

/** Free bytes of the disk and stored bytes at one moment. */
export interface StorageSample {
  atMs: number;
  storedBytes: number;
  /** Null if unknown, as with a bucket. */
  freeBytes: number | null;
}

/** Long enough that a burst of crashes does not count as the rate of the fleet. */
const WINDOW_MS = 6 * HOUR_MS;

/**
 * Estimates when the storage will be full at the rate of the last hours: by the configured limit or by the disk's free
 * bytes, whichever is reached first.
 */
export function createStorageForecast({ maxBytes }: { maxBytes: number | null }) {
  const samples: StorageSample[] = [];

  return {
    add(sample: StorageSample): void {
      samples.push(sample);
      while (sample.atMs - (samples[0]?.atMs ?? sample.atMs) > WINDOW_MS) samples.shift();
    },

    /** Infinity while nothing grows, or with too few samples. */
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
