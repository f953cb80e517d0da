import { describe, expect, it } from 'vitest';
import { releaseOf, type Timing } from '../../src/alerts/release.js';
import { isTimeZone, nextTime, readTime, timeText } from '../../src/alerts/wall-clock.js';

const NEVER: Timing = { quietFrom: null, quietTo: null, timeZone: 'UTC', digest: 'NONE', digestAt: null };
const BERLIN = 'Europe/Berlin';
const minutes = (text: string) => readTime(text) ?? -1;
const quiet = (from: string, to: string, timeZone = BERLIN): Timing => ({
  ...NEVER,
  ...{ quietFrom: minutes(from), quietTo: minutes(to), timeZone },
});
const released = (rule: Timing, at: string) =>
  releaseOf(rule, 'NEW', new Date(at)).toISOString().slice(0, 16);

describe('quiet hours', () => {
  it.each([
    ['in the evening', '2026-01-10T21:30:15Z', '2026-01-11T06:00'],
    ['after midnight', '2026-01-11T02:00:00Z', '2026-01-11T06:00'],
    ['in their first minute', '2026-01-10T21:00:00Z', '2026-01-11T06:00'],
    ['at their end, they are over', '2026-01-11T06:00:00Z', '2026-01-11T06:00'],
    ['by day', '2026-01-10T12:00:00Z', '2026-01-10T12:00'],
    // 29 March 2026: clocks go from 02:00 to 03:00. The night is an hour shorter, and its end earlier in UTC.
    ['in the night when summer begins', '2026-03-28T21:30:00Z', '2026-03-29T05:00'],
    // 25 October 2026: clocks go from 03:00 to 02:00.
    ['in the night when summer ends', '2026-10-24T20:30:00Z', '2026-10-25T06:00'],
  ])('%s', (_, at, release) => {
    expect(released(quiet('22:00', '07:00'), at)).toBe(release);
  });

  it.each([
    [
      'that end at a time that is skipped',
      quiet('22:00', '02:30'),
      '2026-03-28T22:00:00Z',
      '2026-03-29T01:00',
    ],
    [
      'that begin at a time that is skipped',
      quiet('02:30', '05:00'),
      '2026-03-29T01:10:00Z',
      '2026-03-29T03:00',
    ],
    [
      'that end at a time that comes twice',
      quiet('22:00', '02:30'),
      '2026-10-24T22:00:00Z',
      '2026-10-25T00:30',
    ],
    ['within one day', quiet('12:00', '13:00'), '2026-07-01T10:20:00Z', '2026-07-01T11:00'],
    [
      'in a zone with half hours',
      quiet('22:00', '07:00', 'Asia/Kolkata'),
      '2026-07-01T17:00:00Z',
      '2026-07-02T01:30',
    ],
    [
      'in a zone whose clocks change by half an hour',
      quiet('22:00', '07:00', 'Australia/Lord_Howe'),
      '2026-04-04T13:00:00Z',
      '2026-04-04T20:30',
    ],
  ])('%s', (_, rule, at, release) => {
    expect(released(rule, at)).toBe(release);
  });

  it('hold all but tests', () => {
    const at = new Date('2026-01-10T23:00:00Z');
    const rule = quiet('22:00', '07:00');

    for (const event of ['NEW', 'STORAGE', 'DIGEST'] as const)
      expect(releaseOf(rule, event, at) > at).toBe(true);
    expect(releaseOf(rule, 'TEST', at)).toEqual(at);
  });
});

describe('digests', () => {
  const daily: Timing = { ...NEVER, timeZone: BERLIN, digest: 'DAILY', digestAt: minutes('08:00') };

  it.each([
    [daily, '2026-01-10T06:59:00Z', '2026-01-10T07:00'],
    [daily, '2026-01-10T07:00:00Z', '2026-01-11T07:00'],
    [daily, '2026-03-28T12:00:00Z', '2026-03-29T06:00'],
    [daily, '2026-10-24T12:00:00Z', '2026-10-25T07:00'],
    [{ ...daily, digestAt: minutes('02:30') }, '2026-03-28T12:00:00Z', '2026-03-29T01:00'],
    [{ ...daily, digestAt: minutes('02:30') }, '2026-10-25T00:30:00Z', '2026-10-26T01:30'],
    [{ ...daily, digestAt: 0 }, '2026-01-10T12:00:00Z', '2026-01-10T23:00'],
    [{ ...NEVER, digest: 'HOURLY' }, '2026-01-10T12:00:00Z', '2026-01-10T13:00'],
    [{ ...NEVER, digest: 'HOURLY' }, '2026-01-10T23:59:59Z', '2026-01-11T00:00'],
    [{ ...NEVER, digest: 'HOURLY', timeZone: 'Asia/Kolkata' }, '2026-01-10T12:10:00Z', '2026-01-10T12:30'],
    // The digest is due in quiet hours.
    [
      { ...daily, quietFrom: minutes('22:00'), quietTo: minutes('09:00') },
      '2026-01-10T12:00:00Z',
      '2026-01-11T08:00',
    ],
  ])('%j at %s', (rule, at, release) => {
    expect(released(rule, at)).toBe(release);
  });

  it('do not hold what says that the storage is nearly full', () => {
    const at = new Date('2026-01-10T12:00:00Z');

    expect(releaseOf(daily, 'STORAGE', at)).toEqual(at);
  });
});

describe('the wall clock', () => {
  it('reaches every time once within a day, whatever the clocks do', () => {
    for (const day of ['2026-03-28', '2026-10-24', '2026-07-01'])
      for (const zone of [BERLIN, 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Chatham', 'UTC'])
        for (let minute = 0; minute < 24 * 60; minute += 45) {
          const at = new Date(`${day}T12:00:00Z`);
          const hours = (nextTime(at, zone, minute).getTime() - at.getTime()) / 3_600_000;
          expect(hours > 0 && hours <= 25, `${zone} ${minute}`).toBe(true);
        }
  });

  it.each(['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('knows %s', (name) => {
    expect(isTimeZone(name)).toBe(true);
  });

  it.each(['Mars/Base', '+01:00', '', '../etc/passwd', 'x'.repeat(100)])('does not know "%s"', (name) => {
    expect(isTimeZone(name)).toBe(false);
  });

  it.each([
    ['00:00', 0],
    ['23:59', 1439],
    ['24:00', null],
    ['7:00', null],
    ['07:60', null],
  ])('reads %s', (text, minute) => {
    expect(readTime(text)).toBe(minute);
    if (minute !== null) expect(timeText(minute)).toBe(text);
  });
});
