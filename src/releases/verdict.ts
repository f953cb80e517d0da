import { countResets } from '../devices/reset-counts.js';
import type { ReleaseHealth } from './health.js';

export const VERDICTS = ['BETTER', 'WORSE', 'SIMILAR', 'UNKNOWN'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const UNKNOWN_REASONS = ['NO_DEVICES', 'NO_BOOT_REPORTS'] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** Fewer days of devices say nothing about a version. */
const MIN_DEVICE_DAYS = 20;

/** Why shares and rates of a version are not known; null: they are. */
export function whyUnknown({ deviceCount, reportingDeviceCount }: ReleaseHealth): UnknownReason | null {
  if (deviceCount === 0) return 'NO_DEVICES';
  return reportingDeviceCount === 0 ? 'NO_BOOT_REPORTS' : null;
}

/** Crashes on a day of a device; null: not known. */
export function crashesPerDeviceDay({ reportingCrashCount, reportingDays }: ReleaseHealth): number | null {
  return reportingDays === 0 ? null : reportingCrashCount / reportingDays;
}

/** Share of devices without a crash; null: not known. */
export function crashFreeShare(health: ReleaseHealth): number | null {
  const { reportingDeviceCount, crashedReportingDeviceCount } = health;
  return reportingDeviceCount === 0 ? null : 1 - crashedReportingDeviceCount / reportingDeviceCount;
}

/** Share of ended runs that no crash ended; null: no run is known. */
export function crashFreeRunShare({ runCount, crashedRunCount }: ReleaseHealth): number | null {
  return runCount === 0 ? null : 1 - crashedRunCount / runCount;
}

interface Judgement {
  verdict: Verdict;
  /** A sentence for people. */
  reason: string;
}

/** Beyond this many standard deviations two shares differ by more than chance would make them in 1 of 20 cases. */
const SIGNIFICANT = 1.96;

/**
 * Whether a version does better or worse than another. What is compared is the share of days of devices with a crash: a
 * device in a crash loop counts once a day. Runs are not compared: those of one device are no independent samples.
 *
 * Days of an earlier release have boots without reasons. If one of both versions has such days, only crashes that arrived
 * are compared, or the later version would seem worse because more is known of it.
 */
export function judge(
  { version, health }: { version: string; health: ReleaseHealth },
  before: { version: string; health: ReleaseHealth } | null,
): Judgement {
  if (before === null)
    return { verdict: 'UNKNOWN', reason: `There is no version before ${version} to compare it with.` };
  for (const each of [{ version, health }, before]) {
    const unknown = whyUnknown(each.health);
    if (unknown !== null) return { verdict: 'UNKNOWN', reason: `${WHY[unknown]} ${each.version}.` };
    if (each.health.reportingDays < MIN_DEVICE_DAYS) {
      return {
        verdict: 'UNKNOWN',
        reason: `Devices were heard of on too few days with ${each.version}: ${each.health.reportingDays}, where ${MIN_DEVICE_DAYS} would say something.`,
      };
    }
  }
  const rates = `${rateText(health)} crashes per device and day, ${rateText(before.health)} in ${before.version}`;
  const withResets = [health, before.health].every(knowsResets);
  const difference = deviations(crashedShare(health, withResets), crashedShare(before.health, withResets));
  if (Math.abs(difference) < SIGNIFICANT)
    return { verdict: 'SIMILAR', reason: `${rates}: the difference may be chance.` };
  return { verdict: difference > 0 ? 'WORSE' : 'BETTER', reason: `${rates}.` };
}

const WHY: Record<UnknownReason, string> = {
  NO_DEVICES: 'No device was heard of in the last 180 days with',
  NO_BOOT_REPORTS: 'No device reports its boots with',
};

function rateText(health: ReleaseHealth): string {
  return (crashesPerDeviceDay(health) ?? 0).toFixed(3);
}

/** Each boot ends a run; only the first and the last run of a device with a version may have ended unseen. */
function knowsResets(health: ReleaseHealth): boolean {
  return countResets(health) >= health.bootCount - health.reportingDeviceCount;
}

interface Share {
  of: number;
  all: number;
}

function crashedShare(health: ReleaseHealth, withResets: boolean): Share {
  const of = withResets ? health.crashedReportingDays : health.arrivedReportingDays;
  return { of, all: health.reportingDays };
}

/** By how many standard deviations the one share is above the other one. */
function deviations(a: Share, b: Share): number {
  const share = (a.of + b.of) / (a.all + b.all);
  const deviation = Math.sqrt(share * (1 - share) * (1 / a.all + 1 / b.all));
  if (deviation === 0) return 0;
  return (a.of / a.all - b.of / b.all) / deviation;
}
