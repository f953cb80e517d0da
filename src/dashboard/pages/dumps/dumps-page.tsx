import { useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { CoredumpFilter } from '../../generated/graphql';
import { FirstDumpGuide } from '../../parts/first-dump-guide';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { FAILED_FILTER, WAITING_FILTER } from '../../parts/parse-state';
import { countText } from '../../parts/sizes';
import { useTitle } from '../../parts/use-title';
import { DumpFilters } from './dump-filters';
import { DumpTable } from './dump-table';

const Dumps = graphql(`
  query Dumps($filter: CoredumpFilter, $after: String) {
    coredumps(first: 50, after: $after, filter: $filter) {
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
  const filter = filterOf(parameters);
  const after = parameters.get('after');
  const { data, error } = useLiveQuery(Dumps, { filter, after });
  const dumps = data?.coredumps;

  return (
    <>
      <header className="page-head">
        <h1>Dumps</h1>
        {dumps !== undefined && <span className="count">{countText(dumps.totalCount, 'dump')}</span>}
      </header>
      <DumpFilters />
      {error !== undefined && <ErrorNotice error={error} />}
      {dumps === undefined && error === undefined && <Loading />}
      {dumps !== undefined && dumps.nodes.length > 0 && (
        <div className="card">
          <DumpTable dumps={dumps.nodes} />
        </div>
      )}
      {dumps?.nodes.length === 0 && (Object.keys(filter).length > 0 ? <NothingFound /> : <FirstDumpGuide />)}
      {dumps !== undefined && (
        <Paging endCursor={dumps.pageInfo.endCursor ?? null} hasNextPage={dumps.pageInfo.hasNextPage} />
      )}
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

const STATUSES: Readonly<Record<string, CoredumpFilter>> = {
  pending: { parseStatus: ['PENDING'] },
  parsed: { parseStatus: ['PARSED'] },
  waiting: WAITING_FILTER,
  error: FAILED_FILTER,
};

function filterOf(parameters: URLSearchParams): CoredumpFilter {
  const status = STATUSES[parameters.get('status') ?? ''];
  const lists = {
    chip: 'chip',
    version: 'firmwareVersion',
    model: 'modelCode',
    device: 'deviceKey',
  } as const;
  const filter: CoredumpFilter = { ...status };
  for (const [parameter, field] of Object.entries(lists)) {
    const value = parameters.get(parameter);
    if (value !== null && value !== '') filter[field] = [value];
  }
  const search = parameters.get('q');
  if (search !== null && search !== '') filter.search = search;
  return filter;
}
