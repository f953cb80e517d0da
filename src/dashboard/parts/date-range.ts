/** A range of time in an address: `since` for the last hours or days, or `from` and `to`, days of the reader's zone. */
export interface DateRange {
  after?: string;
  before?: string;
}

const HOUR_MS = 3_600_000;
export const SPANS = { '24h': 24 * HOUR_MS, '7d': 7 * 24 * HOUR_MS, '30d': 30 * 24 * HOUR_MS } as const;

/** @param now of the moment when the list was opened; to the minute, so that the same list is the same question */
export function rangeOf(parameters: URLSearchParams, now: number): DateRange {
  const since = parameters.get('since');
  if (isSpan(since)) return { after: new Date(now - (now % 60_000) - SPANS[since]).toISOString() };
  const [from, to] = [dayOf(parameters.get('from')), dayOf(parameters.get('to'))];
  // The last day is in the range.
  to?.setDate(to.getDate() + 1);
  return {
    ...(from === null ? {} : { after: from.toISOString() }),
    ...(to === null ? {} : { before: to.toISOString() }),
  };
}

export function isSpan(text: string | null): text is keyof typeof SPANS {
  return text !== null && Object.hasOwn(SPANS, text);
}

/** Midnight of the reader's zone; null for anything but a day of the calendar. */
function dayOf(text: string | null): Date | null {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? '')?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return null;
  const date = new Date(year, month - 1, day);
  // The 31st of June would be the 1st of July.
  return date.getMonth() === month - 1 && date.getDate() === day ? date : null;
}
