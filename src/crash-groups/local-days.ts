import { badInput } from '../errors.js';

/** A day of a time zone, by the hours that are counted: hours since 1970, UTC, both inclusive. */
export interface LocalDay {
  /** Midnight, or the first moment of a day that has none. */
  start: Date;
  firstSlot: number;
  lastSlot: number;
}

const HOUR_MS = 3_600_000;
const STEP_MS = 15 * 60_000;
/** No day is longer, also when clocks are put back. */
const LONGEST_DAY_HOURS = 25;
/** Three months. */
const MAX_DAYS = 92;

/**
 * The days of a time zone, with 23 to 25 hours each where its clocks change. An hour belongs to the day of its middle:
 * where midnight is not at a full hour of UTC, that is half an hour off at most.
 *
 * @param from in the first day; null: `count` days
 * @param last in the last day
 * @returns none when `from` is after `last`
 * @throws DomainError BAD_USER_INPUT for an unknown zone and for more than 92 days
 */
export function localDays(
  timeZone: string,
  { from, last, count }: { from: Date | null; last: Date; count: number },
): LocalDay[] {
  const dateOf = datesIn(timeZone);
  const hours = from === null ? count * LONGEST_DAY_HOURS : (last.getTime() - from.getTime()) / HOUR_MS;
  if (hours > (MAX_DAYS + 1) * 24) {
    throw badInput(`With a time zone, a time series has at most ${MAX_DAYS} days.`, { field: 'from' });
  }
  const end = Math.floor(last.getTime() / HOUR_MS);
  const days = new Map<string, LocalDay>();
  for (let slot = end - Math.ceil(hours) - LONGEST_DAY_HOURS; slot <= end + LONGEST_DAY_HOURS; slot += 1) {
    const date = dateOf((slot + 0.5) * HOUR_MS);
    const day = days.get(date);
    if (day !== undefined) day.lastSlot = slot;
    else days.set(date, { start: new Date(startOf(date, slot, dateOf)), firstSlot: slot, lastSlot: slot });
  }
  const lastDate = dateOf(last.getTime());
  const upToLast = [...days].filter(([date]) => date <= lastDate);
  const firstDate = from === null ? (upToLast.at(-count)?.[0] ?? '') : dateOf(from.getTime());
  return upToLast.filter(([date]) => date >= firstDate).map(([, day]) => day);
}

/** Dates as texts that sort: "2026-11-29". */
function datesIn(timeZone: string): (at: number) => string {
  try {
    // The Swedish form of a date is that of ISO 8601.
    const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short' });
    return (at) => format.format(at);
  } catch {
    throw badInput(
      `There is no time zone "${timeZone.slice(0, 64)}": a name is meant as in Europe/Berlin or UTC.`,
      { field: 'timeZone' },
    );
  }
}

/** The first moment of the date, near the beginning of its first hour. */
function startOf(date: string, slot: number, dateOf: (at: number) => string): number {
  let at = slot * HOUR_MS - 3 * STEP_MS;
  while (dateOf(at) !== date) at += STEP_MS;
  return at;
}
