/** A column of a chart: what it counts, from below to above. */
export interface ChartColumn {
  /** When its hour or day begins. */
  at: string;
  parts: readonly { name: string; count: number }[];
  /** Nothing was recorded then: no crash in it does not mean that none happened. */
  isGap?: boolean;
}

/** All others together. */
export const OTHERS = 'others';

interface Bucket {
  start: string;
  count: number;
}

/** One series. @param recordedSince before it nothing was recorded */
export function columnsOfBuckets(
  buckets: readonly Bucket[],
  name: string,
  recordedSince?: string,
): ChartColumn[] {
  return buckets.map(({ start, count }, index) => ({
    at: start,
    parts: count === 0 ? [] : [{ name, count }],
    isGap: isBefore(buckets[index + 1]?.start, recordedSince),
  }));
}

/** Several series with the same times, stacked in their order. */
export function columnsOfSeries(
  series: ReadonlyArray<{ key?: string | null; isRest: boolean; buckets: readonly Bucket[] }>,
  recordedSince?: string,
): ChartColumn[] {
  const [first] = series;
  return (first?.buckets ?? []).map(({ start }, index) => ({
    at: start,
    parts: series.flatMap(({ key, isRest, buckets }) => {
      const count = buckets[index]?.count ?? 0;
      return count === 0 ? [] : [{ name: isRest ? OTHERS : (key ?? 'unknown'), count }];
    }),
    isGap: isBefore(first?.buckets[index + 1]?.start, recordedSince),
  }));
}

/** A column is a gap when it ends, with the start of the next one, before records begin. */
function isBefore(end: string | undefined, recordedSince: string | undefined): boolean {
  return end !== undefined && recordedSince !== undefined && end <= recordedSince;
}

/** Round numbers for the axis: 0, a half where it is whole, and the top, at or above the highest column. */
export function ticksUpTo(highest: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, highest)));
  const top = [1, 2, 4, 5, 10].map((step) => step * power).find((value) => value >= highest) ?? highest;
  return top % 2 === 0 ? [0, top / 2, top] : [0, top];
}
