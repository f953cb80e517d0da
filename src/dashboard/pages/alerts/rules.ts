import { graphql } from '../../generated';

graphql(`
  fragment AlertRuleInList on AlertRule {
    id name target format onNew onRegression spikeCount enabled
    model { id code name }
    crashGroup { id title }
  }
`);

export const AlertRules = graphql(`
  query AlertRules { alertRules { ...AlertRuleInList } }
`);
