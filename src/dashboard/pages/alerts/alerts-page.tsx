import { useState } from 'react';
import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { ErrorNotice, Loading } from '../../parts/notices';
import { countText } from '../../parts/sizes';
import { useTitle } from '../../parts/use-title';
import { AlertGuide } from './alert-guide';
import { CreateAlertDialog } from './create-alert-dialog';
import { RuleTable } from './rule-table';
import { AlertRules } from './rules';
import { isInScope, type Scope, useScope } from './use-scope';

/** The alert rules: which crashes each one reports, and where it sends them. */
export function AlertsPage() {
  useTitle('Alerts');
  const [isCreating, setCreating] = useState(false);
  const scope = useScope();
  const { data, error } = useLiveQuery(AlertRules, {}, () => false);
  const rules = data?.alertRules.nodes.filter((rule) => scope === null || isInScope(rule, scope));

  return (
    <>
      <header className="page-head">
        <h1>Alerts</h1>
        {rules !== undefined && <span className="count">{countText(rules.length, 'alert')}</span>}
        <div className="actions">
          <button type="button" className="button" data-tone="primary" onClick={() => setCreating(true)}>
            New alert
          </button>
        </div>
      </header>
      {scope !== null && <ScopeNotice scope={scope} />}
      {error !== undefined && <ErrorNotice error={error} />}
      {rules === undefined && error === undefined && <Loading />}
      {rules !== undefined && rules.length > 0 && (
        <div className="card">
          <RuleTable rules={rules} />
        </div>
      )}
      {rules?.length === 0 && <AlertGuide />}
      <CreateAlertDialog scope={scope} isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}

function ScopeNotice({ scope: { modelCode, group } }: { scope: Scope }) {
  return (
    <p className="notice">
      Alerts for crashes of{' '}
      {group === null ? (
        <Link href={`/firmware/${modelCode}`}>{modelCode}</Link>
      ) : (
        <Link href={`/groups/${encodeURIComponent(group.id)}`}>{group.title}</Link>
      )}
      , or for all crashes. A new alert reports only these. <Link href="/alerts">All alerts</Link>
    </p>
  );
}
