import type { NewAlertRule } from '../../src/alerts/rule-input.js';

/** A rule that alerts for new groups and regressions, at once. */
export function aRuleInput(rule: Partial<NewAlertRule> = {}): NewAlertRule {
  return {
    ...{ name: 'team', url: 'http://127.0.0.1:9/', format: 'GENERIC', recipients: null, accessToken: null },
    ...{ onNew: true, onRegression: true, spikeCount: null, onNewInVersion: false, loopCrashes: null },
    ...{ onWaitingBuild: false, storagePercent: null, quietHours: null, timeZone: 'UTC' },
    ...{ digest: 'NONE', digestAt: null, modelCode: null, groupId: null, enabled: true },
    ...rule,
  };
}
