import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { CrashGroupFilter, CrashGroupOrderField, CrashGroupState } from '../../generated/graphql';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { useTitle } from '../../parts/use-title';
import { isCrashKind } from './crash-kinds';
import { GroupFilters } from './group-filters';
import { GroupTable } from './group-table';

const Groups = graphql(`
  query Groups($filter: CrashGroupFilter, $orderBy: CrashGroupOrder, $after: String) {
    crashGroups(first: 50, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      nodes { ...GroupInList }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** The fleet's crashes by cause, the most frequent first. */
export function GroupsPage() {
  useTitle('Crash groups');
  const [parameters] = useSearchParams();
  const { data, error } = useLiveQuery(Groups, {
    filter: filterOf(parameters),
    orderBy: { field: orderOf(parameters) },
    after: parameters.get('after'),
  });
  const groups = data?.crashGroups;

  return (
    <>
      <header className="page-head">
        <h1>Crash groups</h1>
        {groups !== undefined && <span className="count">{countText(groups.totalCount, 'group')}</span>}
      </header>
      <GroupFilters />
      {error !== undefined && <ErrorNotice error={error} />}
      {groups === undefined && error === undefined && <Loading />}
      {groups !== undefined && groups.nodes.length > 0 && (
        <div className="card">
          <GroupTable groups={groups.nodes} />
        </div>
      )}
      {groups?.nodes.length === 0 && (
        <EmptyState title="No crash group matches">
          <p>
            Dumps that crashed at the same place form a group as soon as they are read.{' '}
            <Link href="/dumps">All dumps</Link>
          </p>
        </EmptyState>
      )}
      {groups !== undefined && (
        <Paging endCursor={groups.pageInfo.endCursor ?? null} hasNextPage={groups.pageInfo.hasNextPage} />
      )}
    </>
  );
}

const STATES: Readonly<Record<string, CrashGroupState[] | undefined>> = {
  open: ['OPEN'],
  resolved: ['RESOLVED'],
  ignored: ['IGNORED'],
};

function filterOf(parameters: URLSearchParams): CrashGroupFilter {
  const asked = parameters.get('state') ?? 'open';
  const state = STATES[asked];
  const search = parameters.get('q');
  const model = parameters.get('model');
  const kind = parameters.get('kind') ?? '';
  const tag = parameters.get('tag');
  return {
    ...(state === undefined ? {} : { state }),
    ...(asked === 'regressions' ? { isRegression: true } : {}),
    ...(isCrashKind(kind) ? { kind: [kind] } : {}),
    ...(search === null ? {} : { search }),
    ...(model === null ? {} : { modelCode: [model] }),
    ...(tag === null ? {} : { tag: [tag] }),
  };
}

const ORDERS: Readonly<Record<string, CrashGroupOrderField>> = {
  devices: 'DEVICE_COUNT',
  recent: 'LAST_SEEN_AT',
  first: 'FIRST_SEEN_AT',
  rate: 'VELOCITY',
};

function orderOf(parameters: URLSearchParams): CrashGroupOrderField {
  return ORDERS[parameters.get('sort') ?? ''] ?? 'COUNT';
}
