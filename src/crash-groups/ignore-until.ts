import { badInput } from '../errors.js';
import { DAY_MS } from '../platform/durations.js';
import type { Crash, CrashGroupRow } from './types.js';
import { orderOfVersions } from './versions.js';

/**
 * A person may ignore a group until something comes: a number of further crashes, a time, or a crash of a version. Then
 * the server opens it again: with the crash that it was (`record-crash.ts`), or at that time (`end-ignores.ts`).
 */

/** One of these. */
export interface IgnoreUntil {
  /** How many crashes more. */
  crashes?: number;
  at?: Date;
  /** A crash of this version or a later one. */
  version?: string;
}

/** The columns of a group that is ignored. The number of crashes is kept as the count that the group will have. */
export type IgnoreColumns = Pick<
  CrashGroupRow,
  'ignoredAt' | 'ignoredUntilCount' | 'ignoredUntilAt' | 'ignoredUntilVersion'
>;

export const NOT_IGNORED: IgnoreColumns = {
  ignoredAt: null,
  ignoredUntilCount: null,
  ignoredUntilAt: null,
  ignoredUntilVersion: null,
};

const MAX_CRASHES = 1_000_000;
const MAX_DAYS = 3_660;
const MAX_VERSION = 64;

/** @throws DomainError BAD_USER_INPUT */
export function checkIgnoreUntil({ crashes, at, version }: IgnoreUntil, now: Date, field: string): void {
  const given = [crashes, at, version].filter((each) => each !== undefined);
  if (given.length !== 1) throw badInput('Give one of crashes, at and version.', { field });
  if (crashes !== undefined && (crashes < 1 || crashes > MAX_CRASHES))
    throw badInput(`crashes is a number from 1 to ${MAX_CRASHES.toLocaleString('en')}.`, {
      field: `${field}.crashes`,
    });
  if (at !== undefined && (at <= now || at.getTime() > now.getTime() + MAX_DAYS * DAY_MS))
    throw badInput('at is a time in the future, within ten years.', { field: `${field}.at` });
  if (version !== undefined && (version.trim() === '' || version.length > MAX_VERSION))
    throw badInput(`A version is 1 to ${MAX_VERSION} characters.`, { field: `${field}.version` });
}

/** Of a group with this count. */
export function ignoreColumns(until: IgnoreUntil | null, count: number, now: Date): IgnoreColumns {
  return {
    ignoredAt: now,
    ignoredUntilCount: until?.crashes === undefined ? null : count + until.crashes,
    ignoredUntilAt: until?.at ?? null,
    ignoredUntilVersion: until?.version ?? null,
  };
}

/** For activity and audit: `100 crashes`, `version 1.4.0`, or a time. Null: until a person opens it. */
export function untilText(until: IgnoreUntil | null): string | null {
  if (until === null) return null;
  if (until.crashes !== undefined) return until.crashes === 1 ? '1 crash' : `${until.crashes} crashes`;
  return until.at?.toISOString() ?? (until.version === undefined ? null : `version ${until.version}`);
}

/** The same for what a group is ignored until now. */
export function untilTextOf(group: CrashGroupRow): string | null {
  const { count, ignoredUntilCount, ignoredUntilAt: at, ignoredUntilVersion: version } = group;
  if (ignoredUntilCount !== null) return untilText({ crashes: Math.max(ignoredUntilCount - count, 0) });
  if (at !== null) return untilText({ at });
  return version === null ? null : untilText({ version });
}

/** Whether the crash came before the group was ignored, and is only read now. */
export function isBeforeIgnore({ ignoredAt }: IgnoreColumns, { at }: Pick<Crash, 'at'>): boolean {
  return ignoredAt !== null && at <= ignoredAt;
}

/**
 * What has ended the state "ignored" when one more crash is counted: `230 crashes`, `version 1.4.1`, or a time. Null: it
 * goes on. Where versions have no order (dates, branches), only the very version ends it.
 */
export function endOfIgnore(
  group: CrashGroupRow,
  crash: Pick<Crash, 'at' | 'firmwareVersion'>,
  now: Date,
): string | null {
  const { state, ignoredAt, ignoredUntilCount, ignoredUntilAt, ignoredUntilVersion } = group;
  if (state !== 'IGNORED') return null;
  if (ignoredUntilAt !== null && ignoredUntilAt <= now) return ignoredUntilAt.toISOString();
  if (ignoredAt === null || isBeforeIgnore(group, crash)) return null;
  if (ignoredUntilCount !== null && group.count + 1 >= ignoredUntilCount) return `${group.count + 1} crashes`;
  if (ignoredUntilVersion === null) return null;
  const order = orderOfVersions(crash.firmwareVersion, ignoredUntilVersion);
  const isReached = order === null ? crash.firmwareVersion === ignoredUntilVersion : order >= 0;
  return isReached ? `version ${crash.firmwareVersion}` : null;
}
