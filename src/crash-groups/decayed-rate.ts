import { DAY_MS } from '../platform/durations.js';

/**
 * How fast a group crashes, in a form that an index can sort: each crash weighs 2^(its time in half-lives), and heat is
 * the binary logarithm of the sum. What is older weighs less in comparison, yet nobody has to age the stored values.
 */
const HALF_LIFE_MS = DAY_MS;

/** Heat of a single crash. */
export function heatOf(at: Date): number {
  return at.getTime() / HALF_LIFE_MS;
}

/** Heat of all crashes of both. */
export function combineHeat(a: number, b: number): number {
  return Math.max(a, b) + Math.log2(1 + 2 ** -Math.abs(a - b));
}

/** Heat of `count` crashes at one time. */
export function heatOfMany(at: Date, count: number): number {
  return heatOf(at) + Math.log2(count);
}

/** Crashes a day, recent ones counting most: a steady rate is told as what it is. */
export function velocityOf(heat: number, now: Date): number {
  return 2 ** (heat - heatOf(now)) * Math.LN2;
}
