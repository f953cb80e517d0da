import { useContext, useMemo } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { CrashGroupFilter, CrashGroupOrderField, CrashGroupState } from '../../generated/graphql';
import { rangeOf } from '../../parts/date-range';
import { ListTools } from '../../parts/list-tools';
import { NewBar } from '../../parts/new-bar';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { useCalmList } from '../../parts/use-calm-list';
import { useSelection } from '../../parts/use-selection';
import { useSorting } from '../../parts/use-sorting';
import { useTitle } from '../../parts/use-title';
import { RoleContext } from '../../session/role';
import { isCrashKind } from './crash-kinds';
import { GroupBulkBar } from './group-bulk-bar';
import { GroupFilters } from './group-filters';
import { GroupTable } from './group-table';

const PAGE_SIZE = 50;

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
  const asked = parameters.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address is another moment
  const now = useMemo(() => Date.now(), [asked]);
  const sorting = useSorting('count');
  const { data, error, isAnswer, isFresh } = useLiveQuery(Groups, {
    filter: filterOf(parameters, now),
    orderBy: { field: ORDERS[sorting.by] ?? 'COUNT', direction: sorting.isAscending ? 'ASC' : 'DESC' },
    after: parameters.get('after'),
  });
  const groups = data?.crashGroups;
  const list = useCalmList(groups?.nodes, { key: asked, isAnswer, isFresh, pageSize: PAGE_SIZE });
  const isAdmin = useContext(RoleContext) === 'admin';
  const selection = useSelection(list.rows.map(({ id }) => id));

  return (
    <>
      <header className="page-head">
        <h1>Crash groups</h1>
        {groups !== undefined && <span className="count">{countText(groups.totalCount, 'group')}</span>}
        <NewBar list={list} pageSize={PAGE_SIZE} />
        <div className="actions">
          <ListTools list="crash-groups" />
        </div>
      </header>
      <GroupFilters />
      {error !== undefined && <ErrorNotice error={error} />}
      {groups === undefined && error === undefined && <Loading />}
      {list.rows.length > 0 && (
        <div className="card">
          <GroupTable
            groups={list.rows}
            by={sorting.by}
            gone={list.gone}
            selection={isAdmin ? selection : undefined}
            sorting={sorting}
          />
        </div>
      )}
      {groups?.nodes.length === 0 && list.rows.length === 0 && (
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
      <GroupBulkBar selection={selection} groups={list.rows} />
    </>
  );
}

const STATES: Readonly<Record<string, CrashGroupState[] | undefined>> = {
  open: ['OPEN'],
  resolved: ['RESOLVED'],
  ignored: ['IGNORED'],
};

/** Parameters of the address with one value of a field. */
const LISTS = {
  model: 'modelCode',
  version: 'firmwareVersion',
  chip: 'chip',
  device: 'deviceKey',
  reason: 'reasonClass',
  assignee: 'assignee',
  tag: 'tag',
} as const;

/** Exports take the same parameters: src/http/export-filters.ts. */
function filterOf(parameters: URLSearchParams, now: number): CrashGroupFilter {
  const asked = parameters.get('state') ?? 'open';
  const state = STATES[asked];
  const search = parameters.get('q');
  const kind = parameters.get('kind') ?? '';
  const { after, before } = rangeOf(parameters, now);
  const filter: CrashGroupFilter = {
    ...(state === undefined ? {} : { state }),
    ...(asked === 'regressions' ? { isRegression: true } : {}),
    ...(isCrashKind(kind) ? { kind: [kind] } : {}),
    ...(search === null || search === '' ? {} : { search }),
    ...(after === undefined ? {} : { lastSeenAfter: after }),
    ...(before === undefined ? {} : { lastSeenBefore: before }),
  };
  for (const [parameter, field] of Object.entries(LISTS)) {
    const value = parameters.get(parameter);
    if (value !== null && value !== '') filter[field] = [value];
  }
  return filter;
}

const ORDERS: Readonly<Record<string, CrashGroupOrderField>> = {
  devices: 'DEVICE_COUNT',
  recent: 'LAST_SEEN_AT',
  first: 'FIRST_SEEN_AT',
  rate: 'VELOCITY',
};
