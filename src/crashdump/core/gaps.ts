/** Bytes that were lost on the way: from `start` up to, without, `end`; offsets in the dump. */
export interface Gap {
  start: number;
  end: number;
}

/** Sorted by offset, without overlaps. */
export type Gaps = readonly Gap[];

export const NO_GAPS: Gaps = [];

/** Whether any of the `length` bytes at `start` is missing. */
export function isTouched(gaps: Gaps, start: number, length: number): boolean {
  const gap = gaps[firstBehind(gaps, start)];
  return length > 0 && gap !== undefined && gap.start < start + length;
}

/** The parts of the `length` bytes at `start` that are here: [first offset, one past the last], relative to `start`. */
export function presentParts(gaps: Gaps, start: number, length: number): [number, number][] {
  const parts: [number, number][] = [];
  let from = 0;
  for (let index = firstBehind(gaps, start); index < gaps.length; index++) {
    const gap = gaps[index];
    if (!gap || gap.start >= start + length) break;
    if (gap.start - start > from) parts.push([from, gap.start - start]);
    from = gap.end - start;
  }
  if (from < length) parts.push([from, length]);
  return parts;
}

/** "480 to 527 and 960 to 1007", the first ones of many. */
export function listGaps(gaps: Gaps): string {
  const ranges = gaps.slice(0, MOST_LISTED).map(({ start, end }) => `${start} to ${end - 1}`);
  if (gaps.length > MOST_LISTED) ranges.push(`${gaps.length - MOST_LISTED} more ranges`);
  const last = ranges.pop() ?? '';
  return ranges.length === 0 ? last : `${ranges.join(', ')} and ${last}`;
}

const MOST_LISTED = 8;

/** Index of the first gap that ends behind `offset`. */
function firstBehind(gaps: Gaps, offset: number): number {
  let low = 0;
  let high = gaps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((gaps[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
