import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import type { AlertRuleInListFragment } from '../../generated/graphql';
import { Fact } from '../../parts/fact';
import { ErrorNotice, Loading } from '../../parts/notices';
import { useTitle } from '../../parts/use-title';
import { eventsOf, FORMATS, targetOf, timesOf } from '../alerts/labels';
import { RuleScope, RuleState } from '../alerts/rule-table';
import { AlertRuleById } from '../alerts/rules';
import { NotFoundPage } from '../not-found-page';
import { AlertActions } from './alert-actions';
import { DeliveryLog } from './delivery-log';
import { useAlertTest } from './use-alert-test';

/** One rule: what it sends where, and its deliveries. */
export function AlertPage({ id }: { id: string }) {
  const { data, error } = useLiveQuery(AlertRuleById, { id }, () => false);
  const rule = data?.alertRule;
  useTitle(rule?.name ?? 'Alert');

  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (rule == null) return <NotFoundPage />;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link href="/alerts">Alerts</Link>
        <span aria-hidden="true">/</span>
        <span>{rule.name}</span>
      </nav>
      {error !== undefined && <ErrorNotice error={error} />}
      <Rule rule={rule} />
    </>
  );
}

function Rule({ rule }: { rule: AlertRuleInListFragment }) {
  const { deliveries, error, test, isTesting, outcome } = useAlertTest(rule.id);
  return (
    <>
      <header className="page-head">
        <h1>{rule.name}</h1>
        <RuleState rule={rule} />
        <AlertActions rule={rule} isTesting={isTesting} onTest={test} />
      </header>
      {!rule.enabled && (
        <p className="notice" data-tone="warn">
          It is switched off and sends nothing. It can still be tested.
        </p>
      )}
      {outcome !== null && (
        <p className="notice" data-tone={outcome.tone} role="status">
          {outcome.text}
        </p>
      )}
      <section className="card" aria-labelledby="rule">
        <header className="card-head">
          <h2 id="rule">What it reports</h2>
        </header>
        <dl className="facts">
          <Fact name="Reports">{eventsOf(rule)}</Fact>
          <Fact name="For">
            <RuleScope rule={rule} />
          </Fact>
          <Fact name="To">
            <span className="mono">{targetOf(rule)}</span>
          </Fact>
          <Fact name="When">{timesOf(rule)}</Fact>
          <Fact name="Format">{FORMATS[rule.format]}</Fact>
        </dl>
      </section>
      {error !== undefined && <ErrorNotice error={error} />}
      {deliveries !== undefined && <DeliveryLog deliveries={deliveries} />}
    </>
  );
}
