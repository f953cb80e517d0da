import type { AlertEvent, AlertFormat, AlertRuleInListFragment } from '../../generated/graphql';

export const FORMATS: Record<AlertFormat, string> = {
  SLACK: 'Slack',
  DISCORD: 'Discord',
  TEAMS: 'Teams',
  NTFY: 'ntfy',
  MAIL: 'Mail',
  GENERIC: 'JSON',
};

export const EVENTS: Record<AlertEvent, string> = {
  NEW: 'New group',
  REGRESSION: 'Regression',
  REOPENED: 'Ignored no more',
  SPIKE: 'Spike',
  NEW_IN_VERSION: 'First in a version',
  CRASH_LOOP: 'Crash loop',
  WAITING_BUILD: 'Waiting for a build',
  STORAGE: 'Storage',
  DIGEST: 'Digest',
  TEST: 'Test',
};

/** "new groups, regressions" */
export function eventsOf(rule: AlertRuleInListFragment): string {
  const { onNew, onRegression, spikeCount, onNewInVersion, loopCrashes, onWaitingBuild, storagePercent } =
    rule;
  return [
    ...(onNew ? ['new groups'] : []),
    ...(onRegression ? ['regressions'] : []),
    ...(spikeCount == null ? [] : [`${spikeCount.toLocaleString('en')} crashes in an hour`]),
    ...(onNewInVersion ? ['first crash of a version'] : []),
    ...(loopCrashes == null ? [] : [`${loopCrashes} crashes of a device in an hour`]),
    ...(onWaitingBuild ? ['dumps waiting for a build'] : []),
    ...(storagePercent == null ? [] : [`storage ${storagePercent} % full`]),
  ].join(', ');
}

/** "at once", "one message a day at 08:00 (Europe/Berlin), quiet from 22:00 to 07:00" */
export function timesOf({ digest, digestAt, quietHours, timeZone }: AlertRuleInListFragment): string {
  const zone = digest === 'DAILY' || quietHours != null ? ` (${timeZone})` : '';
  const rhythm = {
    NONE: 'at once',
    HOURLY: 'one message an hour',
    DAILY: `one message a day at ${digestAt}`,
  };
  const quiet = quietHours == null ? '' : `, quiet from ${quietHours.from} to ${quietHours.to}`;
  return `${rhythm[digest]}${quiet}${zone}`;
}

/** Where it sends: "https://hooks.slack.com/…", or the addresses. */
export function targetOf({ format, target, recipients }: AlertRuleInListFragment): string {
  return format === 'MAIL' ? recipients.join(', ') : `${target}/…`;
}
