import type { AlertEvent } from './payload.js';
import type { AlertRuleRow } from './types.js';
import { isWithin, nextTime, wallClock } from './wall-clock.js';

export const DIGESTS = ['NONE', 'HOURLY', 'DAILY'] as const;
export type Digest = (typeof DIGESTS)[number];

/** The columns of a rule that decide when an alert is sent. */
export type Timing = Pick<AlertRuleRow, 'quietFrom' | 'quietTo' | 'timeZone' | 'digest' | 'digestAt'>;

export const DEFAULT_DIGEST_AT = 8 * 60;

/**
 * When an alert that exists at `at` may be sent: at once, with the next digest, or after the quiet hours. A full storage
 * does not wait for a digest, a test for nothing, and a digest itself only for the quiet hours.
 */
export function releaseOf(rule: Timing, event: AlertEvent, at: Date): Date {
  if (event === 'TEST') return at;
  const isCollected = event !== 'STORAGE' && event !== 'DIGEST';
  return afterQuietHours(rule, isCollected ? nextDigest(rule, at) : at);
}

function nextDigest({ digest, digestAt, timeZone }: Timing, at: Date): Date {
  switch (digest) {
    case 'HOURLY': {
      // Of the clocks: zones exist whose hours begin at half past.
      const nextHour = Math.floor(wallClock(timeZone)(at) / 60 + 1) % 24;
      return nextTime(at, timeZone, nextHour * 60);
    }
    case 'DAILY':
      return nextTime(at, timeZone, digestAt ?? DEFAULT_DIGEST_AT);
    default:
      return at;
  }
}

/** The same moment, or the end of the quiet hours that it is in. */
export function afterQuietHours({ quietFrom, quietTo, timeZone }: Timing, at: Date): Date {
  if (quietFrom === null || quietTo === null) return at;
  return isWithin(wallClock(timeZone)(at), quietFrom, quietTo) ? nextTime(at, timeZone, quietTo) : at;
}
