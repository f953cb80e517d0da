import { DAY_MS } from '../platform/durations.js';

/**
 * The crash rate of a group in a form that an index can sort: an exponentially decayed rate. Each crash has the weight
 * 2^(its time in half-lives), and the stored value is the binary logarithm of the sum. A later crash has a larger weight,
 * so stored values need no updates as time passes. The column is `CrashGroup.heat`.
 */
const HALF_LIFE_MS = DAY_MS;

/** The stored value for a single crash. */
export function decayedRateOf(at: Date): number {
  return at.getTime() / HALF_LIFE_MS;
}

/** The stored value for all crashes of both. */
export function combineRates(a: number, b: number): number {
  return Math.max(a, b) + Math.log2(1 + 2 ** -Math.abs(a - b));
}

/** The stored value for `count` crashes at one time. */
export function decayedRateOfMany(at: Date, count: number): number {
  return decayedRateOf(at) + Math.log2(count);
}

/** Crashes a day, with recent ones counting most. Equals the rate when that is constant. */
export function velocityOf(storedRate: number, now: Date): number {
  return 2 ** (storedRate - decayedRateOf(now)) * Math.LN2;
}
