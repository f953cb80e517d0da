import { Link } from 'wouter';
import type { AlertRuleInListFragment } from '../../generated/graphql';
import { eventsOf, FORMATS, targetOf } from './labels';

/** The rules, newest first; each row leads to its page. */
export function RuleTable({ rules }: { rules: readonly AlertRuleInListFragment[] }) {
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Alert</th>
          <th scope="col">Format</th>
          <th scope="col">Reports</th>
          <th scope="col">For</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <RuleRow key={rule.id} rule={rule} />
        ))}
      </tbody>
    </table>
  );
}

function RuleRow({ rule }: { rule: AlertRuleInListFragment }) {
  const { id, name, format } = rule;
  return (
    <tr>
      <td className="name-cell text-cell">
        <Link href={`/alerts/${encodeURIComponent(id)}`} data-row className="row-link">
          {name}
        </Link>
        <div className="sub-line">{targetOf(rule)}</div>
      </td>
      <td>{FORMATS[format]}</td>
      <td>{eventsOf(rule)}</td>
      <td>
        <RuleScope rule={rule} />
      </td>
      <td>
        <RuleState rule={rule} />
      </td>
    </tr>
  );
}

export function RuleScope({ rule: { model, crashGroup } }: { rule: AlertRuleInListFragment }) {
  if (model == null && crashGroup == null) return <>every crash</>;
  return (
    <>
      {crashGroup?.title}
      {crashGroup != null && model != null && ' on '}
      {model?.name}
    </>
  );
}

export function RuleState({ rule: { enabled } }: { rule: AlertRuleInListFragment }) {
  return (
    <span className="mark" data-state={enabled ? 'ON' : 'OFF'}>
      {enabled ? 'On' : 'Off'}
    </span>
  );
}
