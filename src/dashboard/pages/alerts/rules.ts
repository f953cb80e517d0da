import { graphql } from '../../generated';

graphql(`
  fragment AlertRuleInList on AlertRule {
    id name target recipients hasAccessToken format enabled
    onNew onRegression spikeCount onNewInVersion loopCrashes onWaitingBuild storagePercent
    quietHours { from to } timeZone digest digestAt
    model { id code name }
    crashGroup { id title }
  }
`);

export const AlertRules = graphql(`
  query AlertRules { alertRules(first: 100) { nodes { ...AlertRuleInList } } }
`);

export const AlertRuleById = graphql(`
  query AlertRuleById($id: ID!) { alertRule(id: $id) { ...AlertRuleInList } }
`);
