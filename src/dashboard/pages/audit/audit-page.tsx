import { useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { AuditEventFilter } from '../../generated/graphql';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { useTitle } from '../../parts/use-title';
import { AuditFilters } from './audit-filters';
import { AuditTable } from './audit-table';

const AuditEvents = graphql(`
  query AuditEvents($filter: AuditEventFilter, $after: String) {
    auditEvents(first: 50, after: $after, filter: $filter) {
      totalCount
      nodes { ...AuditEventInList }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Who did what, when and from where, filtered by the parameters of the address. */
export function AuditPage() {
  useTitle('Audit');
  const [parameters] = useSearchParams();
  const filter = filterOf(parameters);
  const { data, error } = useLiveQuery(AuditEvents, { filter, after: parameters.get('after') });
  const events = data?.auditEvents;

  return (
    <>
      <header className="page-head">
        <h1>Audit</h1>
        {events !== undefined && <span className="count">{countText(events.totalCount, 'event')}</span>}
      </header>
      <AuditFilters events={events?.nodes ?? []} />
      {error !== undefined && <ErrorNotice error={error} />}
      {events === undefined && error === undefined && <Loading />}
      {events !== undefined && events.nodes.length > 0 && (
        <div className="card">
          <AuditTable events={events.nodes} />
        </div>
      )}
      {events?.nodes.length === 0 &&
        (Object.keys(filter).length > 0 ? (
          <EmptyState title="No event matches">
            <p>Actions and names must match completely. Old events are deleted (AUDIT_DAYS).</p>
          </EmptyState>
        ) : (
          <EmptyState title="No events yet">
            <p>
              Every change and every download is recorded here: who, when, from where, and the request id that
              the log has as well. Nobody can change an event; it is deleted only when it is old.
            </p>
          </EmptyState>
        ))}
      {events !== undefined && (
        <Paging endCursor={events.pageInfo.endCursor ?? null} hasNextPage={events.pageInfo.hasNextPage} />
      )}
    </>
  );
}

function filterOf(parameters: URLSearchParams): AuditEventFilter {
  const text = (name: string) => parameters.get(name) ?? '';
  const from = dayOf(text('from'));
  const to = dayOf(text('to'), 1);
  return {
    ...(text('action') === '' ? {} : { action: [text('action')] }),
    ...(text('actor') === '' ? {} : { actor: [text('actor')] }),
    ...(text('target') === '' ? {} : { targetId: text('target') }),
    ...(from === null ? {} : { createdAfter: from }),
    ...(to === null ? {} : { createdBefore: to }),
  };
}

/** The beginning of a day in the person's time zone, plus some days; null for an invalid date. */
function dayOf(text: string, later = 0): string | null {
  const date = new Date(`${text}T00:00`);
  if (Number.isNaN(date.getTime())) return null;
  date.setDate(date.getDate() + later);
  return date.toISOString();
}
