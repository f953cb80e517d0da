import { ascending, lastAtOrBefore } from '../order.js';

/** A half-open range of addresses, or of offsets. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Finds the range that contains a place; of nested ranges the innermost. */
export interface RangeMap<T> {
  at(place: number): T | null;
}

/** Ranges before they are added to a map: in three columns, because there may be a hundred thousand. */
export class Ranges<T> {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly values: T[] = [];

  /** Ignores empty ranges, and ranges beyond the 32-bit address space. */
  add(start: number, end: number, value: T): void {
    if (start >= end || start > 0xffffffff) return;
    this.starts.push(start);
    this.ends.push(end);
    this.values.push(value);
  }
}

/**
 * Flattens ranges that may nest (or, in broken files, overlap), so that a look-up is one binary search. Of two equal
 * ranges the one that was added later is the inner one.
 */
export function createRangeMap<T>(ranges: Ranges<T>): RangeMap<T> {
  const { ends, values: whose } = ranges;
  const starts: number[] = [];
  const values: (T | null)[] = [];
  const begin = (place: number, value: T | null) => {
    if (starts.at(-1) === place) {
      starts.pop();
      values.pop();
    }
    starts.push(place);
    values.push(value);
  };

  /** Positions of the ranges that are still open, outermost first. */
  const open: number[] = [];
  const endOf = (position: number | undefined) => (position === undefined ? 0 : (ends[position] ?? 0));
  const closeUpTo = (place: number) => {
    while (open.length > 0 && endOf(open.at(-1)) <= place) {
      const end = endOf(open.at(-1));
      while (open.length > 0 && endOf(open.at(-1)) <= end) open.pop();
      const around = open.at(-1);
      begin(end, around === undefined ? null : (whose[around] ?? null));
    }
  };
  for (const position of outermostFirst(ranges)) {
    const start = ranges.starts[position] ?? 0;
    closeUpTo(start);
    open.push(position);
    begin(start, whose[position] ?? null);
  }
  closeUpTo(Number.POSITIVE_INFINITY);

  return { at: (place) => values[lastAtOrBefore(starts, place)] ?? null };
}

/** By start; among equal starts the one that ends last comes first. */
function outermostFirst<T>({ starts, ends }: Ranges<T>): Uint32Array {
  const order = ascending(starts);
  const startAt = (index: number) => starts[order[index] ?? 0];
  for (let from = 0, to = 1; from < order.length; from = to++) {
    while (to < order.length && startAt(to) === startAt(from)) to++;
    if (to - from > 1) order.subarray(from, to).sort((a, b) => (ends[b] ?? 0) - (ends[a] ?? 0));
  }
  return order;
}
