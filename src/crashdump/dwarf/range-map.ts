/** A half-open range of addresses, or of offsets. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Which of many ranges covers a place; of nested ones the innermost. */
export interface RangeMap<T> {
  at(place: number): T | null;
  readonly size: number;
}

/**
 * Lays ranges that may nest (or, in broken files, overlap) out flat, so that a look-up is one binary search.
 * Of two equal ranges the one that comes later in `entries` counts as the inner one.
 */
export function createRangeMap<T>(entries: readonly (Range & { readonly value: T })[]): RangeMap<T> {
  const sorted = entries
    .filter(({ start, end }) => start < end)
    .sort((a, b) => a.start - b.start || b.end - a.end);
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

  const open: (Range & { readonly value: T })[] = [];
  const closeUpTo = (place: number) => {
    for (let inner = open.at(-1); inner !== undefined && inner.end <= place; inner = open.at(-1)) {
      const { end } = inner;
      while (open.length > 0 && (open.at(-1)?.end ?? 0) <= end) open.pop();
      begin(end, open.at(-1)?.value ?? null);
    }
  };
  for (const entry of sorted) {
    closeUpTo(entry.start);
    open.push(entry);
    begin(entry.start, entry.value);
  }
  closeUpTo(Number.POSITIVE_INFINITY);

  return {
    size: sorted.length,
    at(place) {
      let low = 0;
      let high = starts.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((starts[middle] ?? 0) <= place) low = middle + 1;
        else high = middle;
      }
      return values[low - 1] ?? null;
    },
  };
}
