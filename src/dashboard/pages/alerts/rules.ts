import { graphql } from '../../generated';

graphql(`
  fragment AlertRuleInList on AlertRule {
    id name target format onNew onRegression spikeCount enabled
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
