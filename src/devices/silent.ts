import { badInput } from '../errors.js';
import { DAY_MS } from '../platform/durations.js';
import { dayOf, firstDayKept } from './device-days.js';

/** Spans of days, as lists and counters of devices take them. */

const MAX_SILENT_DAYS = 365;
const MINUTE_MS = 60_000;

/**
 * Since when a device is silent that was not heard of for so many days. To the minute, so that all counters of an answer
 * share one statement.
 * @throws DomainError BAD_USER_INPUT
 */
export function silentSince(days: number, now: Date, field: string): Date {
  assertDays(days, MAX_SILENT_DAYS, field);
  return new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS - days * DAY_MS);
}

const MAX_COUNTED_DAYS = 180;

/** The first of the last days, today included, since 1970. @throws DomainError BAD_USER_INPUT */
export function firstDayOf(days: number, now: Date, field: string): number {
  assertDays(days, MAX_COUNTED_DAYS, field);
  return Math.max(firstDayKept(now), dayOf(now) - days + 1);
}

function assertDays(days: number, max: number, field: string): void {
  if (days >= 1 && days <= max) return;
  throw badInput(`"${field.split('.').at(-1)}" is from 1 to ${max}.`, { field });
}
