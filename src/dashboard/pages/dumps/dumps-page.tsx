import { useContext, useMemo } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import { FirstDumpGuide } from '../../parts/first-dump-guide';
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
import { DumpBulkBar } from './dump-bulk-bar';
import { DumpFilters } from './dump-filters';
import { dumpFilterOf } from './dump-list-filter';
import { DumpTable } from './dump-table';

const PAGE_SIZE = 50;

const Dumps = graphql(`
  query Dumps($filter: CoredumpFilter, $orderBy: CoredumpOrder, $after: String) {
    coredumps(first: 50, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      nodes { ...DumpInList }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** The dumps of the fleet, newest first, filtered by the parameters of the address. */
export function DumpsPage() {
  useTitle('Dumps');
  const [parameters] = useSearchParams();
  const asked = parameters.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address is another moment
  const now = useMemo(() => Date.now(), [asked]);
  const filter = dumpFilterOf(parameters, now);
  const sorting = useSorting('arrived');
  const { data, error, isAnswer, isFresh } = useLiveQuery(Dumps, {
    filter,
    orderBy: { field: 'UPLOADED_AT', direction: sorting.isAscending ? 'ASC' : 'DESC' },
    after: parameters.get('after'),
  });
  const dumps = data?.coredumps;
  const list = useCalmList(dumps?.nodes, { key: asked, isAnswer, isFresh, pageSize: PAGE_SIZE });
  const isAdmin = useContext(RoleContext) === 'admin';
  const selection = useSelection(list.rows.map(({ id }) => id));

  return (
    <>
      <header className="page-head">
        <h1>Dumps</h1>
        {dumps !== undefined && <span className="count">{countText(dumps.totalCount, 'dump')}</span>}
        <NewBar list={list} pageSize={PAGE_SIZE} />
        <div className="actions">
          <Link href="/decode" className="button">
            Decode a crash
          </Link>
          <ListTools list="coredumps" />
        </div>
      </header>
      <DumpFilters />
      {error !== undefined && <ErrorNotice error={error} />}
      {dumps === undefined && error === undefined && <Loading />}
      {list.rows.length > 0 && (
        <div className="card">
          <DumpTable
            dumps={list.rows}
            gone={list.gone}
            selection={isAdmin ? selection : undefined}
            sorting={sorting}
          />
        </div>
      )}
      {dumps?.nodes.length === 0 &&
        list.rows.length === 0 &&
        (Object.keys(filter).length > 0 ? <NothingFound /> : <FirstDumpGuide />)}
      {dumps !== undefined && (
        <Paging endCursor={dumps.pageInfo.endCursor ?? null} hasNextPage={dumps.pageInfo.hasNextPage} />
      )}
      <DumpBulkBar selection={selection} />
    </>
  );
}

function NothingFound() {
  return (
    <EmptyState title="No dump matches">
      <p>Every word of a search must occur in a dump’s output, file name, chip, version or device.</p>
    </EmptyState>
  );
}
