import type { AlertEvent, AlertFormat, AlertRuleInListFragment } from '../../generated/graphql';

export const FORMATS: Record<AlertFormat, string> = { SLACK: 'Slack', DISCORD: 'Discord', GENERIC: 'JSON' };

export const EVENTS: Record<AlertEvent, string> = {
  NEW: 'New group',
  REGRESSION: 'Regression',
  SPIKE: 'Spike',
  TEST: 'Test',
};

/** "new groups, regressions" */
export function eventsOf({ onNew, onRegression, spikeCount }: AlertRuleInListFragment): string {
  return [
    ...(onNew ? ['new groups'] : []),
    ...(onRegression ? ['regressions'] : []),
    ...(spikeCount == null ? [] : [`${spikeCount.toLocaleString('en')} crashes in an hour`]),
  ].join(', ');
}
