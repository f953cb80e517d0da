import { describe, expect, it } from 'vitest';
import { type BootCounts, type BootReport, countBoot, isRepeated } from '../../src/devices/boot-counters.js';
import {
  ALL_RESET_REASONS,
  RESET_COLUMNS,
  RESET_REASONS,
  resetReasonOf,
} from '../../src/devices/reset-reasons.js';
import { createVersionLimit } from '../../src/devices/version-limit.js';

const NOW = new Date('2026-11-30T12:00:00.000Z');
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

function aReport(changes: Partial<BootReport> = {}): BootReport {
  return {
    firmwareVersion: '1.0.0',
    chip: 'esp32c3',
    elfSha256: 'deadbeef0',
    resetReason: 'panic',
    uptimeSeconds: 3600,
    crashPending: true,
    ...changes,
  };
}

describe('a reset reason', () => {
  it('is a crash for panics, watchdogs and a locked CPU, and no crash for the power supply', () => {
    const ofKind = (kind: string) => ALL_RESET_REASONS.filter((name) => RESET_REASONS[name].kind === kind);

    expect(ofKind('CRASH')).toEqual(['panic', 'int_wdt', 'task_wdt', 'wdt', 'cpu_lockup']);
    expect(ofKind('POWER')).toEqual(['brownout', 'pwr_glitch']);
  });

  it('that nobody knows has one counter for all of them', () => {
    expect(['zap', 'constructor', '__proto__', 'other'].map(resetReasonOf)).toEqual(Array(4).fill('other'));
    expect(resetReasonOf(null)).toBe('unknown');
    expect(new Set(RESET_COLUMNS).size).toBe(ALL_RESET_REASONS.length);
  });
});

describe('a report that comes again', () => {
  const last = { ...aReport(), at: NOW };

  it('is the same boot while no other run of that length can have ended', () => {
    expect(isRepeated(aReport(), last, later(15))).toBe(true);
    expect(isRepeated(aReport({ crashPending: false }), last, later(1799))).toBe(true);
    expect(isRepeated(aReport(), last, later(1800))).toBe(false);
    // The clock was set back: nobody knows how much later it is.
    expect(isRepeated(aReport(), last, later(-1))).toBe(false);
  });

  it.each([
    { firmwareVersion: '1.0.1' },
    { elfSha256: null },
    { chip: null },
    { resetReason: 'task_wdt' },
    { uptimeSeconds: 3601 },
    { uptimeSeconds: null },
  ])('with another %o is another boot', (changes) => {
    expect(isRepeated(aReport(changes), last, later(15))).toBe(false);
  });

  it('is counted each time by a device that crashes after the same ten seconds again and again', () => {
    const short = aReport({ uptimeSeconds: 10 });

    expect(isRepeated(short, { ...short, at: NOW }, later(11))).toBe(false);
    expect(isRepeated(short, { ...short, at: NOW }, later(4))).toBe(true);
  });

  it('without a time is the same boot for a minute', () => {
    const report = aReport({ resetReason: 'poweron', uptimeSeconds: null });

    expect(isRepeated(report, { ...report, at: NOW }, later(59))).toBe(true);
    expect(isRepeated(report, { ...report, at: NOW }, later(60))).toBe(false);
  });
});

describe('a boot', () => {
  const counted = (report: BootReport, last: BootReport | null) => {
    const counts = new Map<string, BootCounts>();
    countBoot(counts, 1, { report, last });
    return [...counts.values()].map(({ version, boots, resets, ...runs }) => ({
      ...{ version, boots },
      resets: resets.reduce((sum, count) => sum + count, 0),
      runs: [runs.runs, runs.crashedRuns, runs.timedRuns, runs.runSeconds],
    }));
  };

  it('ends a run of the version that ran before it', () => {
    expect(counted(aReport({ firmwareVersion: '2.0.0' }), aReport())).toEqual([
      { version: '2.0.0', boots: 1, resets: 0, runs: [0, 0, 0, 0] },
      { version: '1.0.0', boots: 0, resets: 1, runs: [1, 1, 1, 3600] },
    ]);
  });

  it('without one before it ends no run that is known, and its reason counts', () => {
    expect(counted(aReport(), null)).toEqual([{ version: '1.0.0', boots: 1, resets: 1, runs: [0, 0, 0, 0] }]);
  });

  it('by which no length is told, or no crash, is a run all the same', () => {
    expect(counted(aReport({ resetReason: 'brownout', uptimeSeconds: null }), aReport())).toEqual([
      { version: '1.0.0', boots: 1, resets: 1, runs: [1, 0, 0, 0] },
    ]);
  });
});

describe('a device that changes its version all the time', () => {
  it('is not counted for the rest of the day', () => {
    const limit = createVersionLimit(2);
    for (let n = 0; n < 3; n += 1) limit.note(1, NOW);
    limit.note(2, NOW);

    expect([limit.isOver(1, later(60)), limit.isOver(2, later(60))]).toEqual([true, false]);
    expect(limit.isOver(1, later(86_400))).toBe(false);
  });
});
