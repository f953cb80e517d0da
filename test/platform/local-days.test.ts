import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDays } from '../../src/crash-groups/local-days.js';

const HOUR_MS = 3_600_000;
const hoursOf = (days: ReturnType<typeof localDays>) =>
  days.map(({ start, firstSlot, lastSlot }) => [start.toISOString(), lastSlot - firstSlot + 1]);

describe('days of a time zone', () => {
  it('have 23 and 25 hours where clocks are changed', () => {
    const spring = localDays('Europe/Berlin', {
      ...{ from: new Date('2026-03-28T12:00:00Z'), last: new Date('2026-03-30T12:00:00Z'), count: 30 },
    });
    const autumn = localDays('Europe/Berlin', {
      ...{ from: new Date('2026-10-24T12:00:00Z'), last: new Date('2026-10-25T12:00:00Z'), count: 30 },
    });

    expect(hoursOf(spring)).toEqual([
      ['2026-03-27T23:00:00.000Z', 24],
      ['2026-03-28T23:00:00.000Z', 23],
      ['2026-03-29T22:00:00.000Z', 24],
    ]);
    expect(hoursOf(autumn)).toEqual([
      ['2026-10-23T22:00:00.000Z', 24],
      ['2026-10-24T22:00:00.000Z', 25],
    ]);
  });

  it('begin at midnight also where it is not at a full hour of UTC', () => {
    const last = new Date('2026-05-05T12:00:00Z');

    expect(localDays('Asia/Kolkata', { from: null, last, count: 1 })).toEqual([
      {
        start: new Date('2026-05-04T18:30:00Z'),
        firstSlot: Date.UTC(2026, 4, 4, 18) / HOUR_MS,
        lastSlot: Date.UTC(2026, 4, 5, 17) / HOUR_MS,
      },
    ]);
    expect(localDays('Asia/Kathmandu', { from: null, last, count: 1 })[0]?.start).toEqual(
      new Date('2026-05-04T18:15:00Z'),
    );
    // Clocks go from 23:59 to 1:00 there.
    expect(
      localDays('Africa/Cairo', { from: null, last: new Date('2026-04-24T12:00:00Z'), count: 1 })[0]?.start,
    ).toEqual(new Date('2026-04-23T22:00:00Z'));
  });

  it('follow each other without a gap, and end with the day that is asked for', () => {
    const zones = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Pacific/Chatham',
      'Africa/Cairo',
      'Pacific/Apia',
    );
    const time = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2027, 0) }).map((ms) => new Date(ms));

    fc.assert(
      fc.property(zones, time, fc.integer({ min: 1, max: 60 }), (zone, last, count) => {
        const days = localDays(zone, { from: null, last, count });

        expect(days).toHaveLength(count);
        for (const [at, day] of days.entries()) {
          expect(day.firstSlot).toBe((days[at - 1]?.lastSlot ?? day.firstSlot - 1) + 1);
          expect(Math.abs(day.start.getTime() - day.firstSlot * HOUR_MS)).toBeLessThanOrEqual(HOUR_MS / 2);
        }
        expect(days.at(-1)?.start.getTime()).toBeLessThanOrEqual(last.getTime());
        expect(((days.at(-1)?.lastSlot ?? 0) + 1.5) * HOUR_MS).toBeGreaterThan(last.getTime());
      }),
      { numRuns: 100 },
    );
  });

  it('are refused for an unknown zone, and for more than three months', () => {
    const last = new Date('2026-05-05T12:00:00Z');

    expect(() => localDays('Mars/Olympus', { from: null, last, count: 1 })).toThrow(
      'no time zone "Mars/Olympus"',
    );
    expect(() => localDays('UTC', { from: new Date('2025-05-05T12:00:00Z'), last, count: 1 })).toThrow(
      'at most 92 days',
    );
    expect(localDays('UTC', { from: new Date('2026-06-05T12:00:00Z'), last, count: 1 })).toEqual([]);
  });
});
