import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { DeviceFilter, DeviceOrderField } from '../../generated/graphql';
import { DateFilter } from '../../parts/date-filter';
import { rangeOf } from '../../parts/date-range';
import { Labelled, TextFilter, useFilters } from '../../parts/filters';
import { ListTools } from '../../parts/list-tools';
import { NewBar } from '../../parts/new-bar';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { ClearFilters, SuggestedFilters } from '../../parts/suggested-filters';
import { useCalmList } from '../../parts/use-calm-list';
import { useSorting } from '../../parts/use-sorting';
import { useTitle } from '../../parts/use-title';
import { ForAdmins } from '../../session/role';
import { CreateDeviceDialog } from './create-device-dialog';
import { DeviceTable } from './device-table';

const Devices = graphql(`
  query Devices($filter: DeviceFilter, $orderBy: DeviceOrder, $after: String) {
    devices(first: 50, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      nodes { ...DeviceInList }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const PAGE_SIZE = 50;

/** Every device, newest first, each with its last crash. */
export function DevicesPage() {
  useTitle('Devices');
  const [isCreating, setCreating] = useState(false);
  const { parameters } = useFilters();
  const asked = parameters.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address is another moment
  const now = useMemo(() => Date.now(), [asked]);
  const filter = filterOf(parameters, now);
  const isNarrowed = Object.keys(filter).length > 0;
  const sorting = useSorting('newest');
  const { data, error, isAnswer, isFresh } = useLiveQuery(Devices, {
    filter,
    orderBy: {
      field: ORDERS[sorting.by] ?? 'CREATED_AT',
      direction: sorting.isAscending ? 'ASC' : 'DESC',
    },
    after: parameters.get('after'),
  });
  const devices = data?.devices;
  const list = useCalmList(devices?.nodes, { key: asked, isAnswer, isFresh, pageSize: PAGE_SIZE });

  return (
    <>
      <header className="page-head">
        <h1>Devices</h1>
        {devices !== undefined && <span className="count">{countText(devices.totalCount, 'device')}</span>}
        <NewBar list={list} pageSize={PAGE_SIZE} />
        <div className="actions">
          <ListTools list="devices" />
          <ForAdmins>
            <button type="button" className="button" data-tone="primary" onClick={() => setCreating(true)}>
              New device
            </button>
          </ForAdmins>
        </div>
      </header>
      <DeviceFilters />
      {error !== undefined && <ErrorNotice error={error} />}
      {devices === undefined && error === undefined && <Loading />}
      {list.rows.length > 0 && (
        <div className="card">
          <DeviceTable devices={list.rows} gone={list.gone} sorting={sorting} />
        </div>
      )}
      {devices?.nodes.length === 0 && list.rows.length === 0 && (
        <EmptyState title={isNarrowed ? 'No device matches' : 'No device is registered yet'}>
          <p>
            A device belongs to a model. Register one here, or let a whole fleet register itself with an{' '}
            <Link href="/enrolment">ingest key</Link>.
          </p>
        </EmptyState>
      )}
      {devices !== undefined && (
        <Paging endCursor={devices.pageInfo.endCursor ?? null} hasNextPage={devices.pageInfo.hasNextPage} />
      )}
      <CreateDeviceDialog isOpen={isCreating} onClose={() => setCreating(false)} />
    </>
  );
}

const SUGGESTED = [
  ['model', 'Model', 'MODEL'],
  ['version', 'Crashed with version', 'VERSION'],
] as const;

function DeviceFilters() {
  const { parameters, choose } = useFilters();
  return (
    <div className="filters">
      <TextFilter
        label="Words"
        aria-label="Search devices"
        placeholder="Key, serial or name"
        value={parameters.get('q') ?? ''}
        onChoose={(value) => choose('q', value)}
      />
      <SuggestedFilters filters={SUGGESTED} />
      <TextFilter
        label="Runs version"
        value={parameters.get('running') ?? ''}
        onChoose={(value) => choose('running', value)}
      />
      <Labelled name="Silent for">
        {(id) => (
          <select
            id={id}
            value={parameters.get('silent') ?? ''}
            onChange={({ target }) => choose('silent', target.value)}
          >
            <option value="">Any time</option>
            {[...new Set([1, 7, 30, ...asDays(parameters.get('silent'))])].map((days) => (
              <option key={days} value={days}>
                {countText(days, 'day')}
              </option>
            ))}
          </select>
        )}
      </Labelled>
      <Labelled name="Crashed without a dump">
        {(id) => (
          <select
            id={id}
            value={parameters.get('unreported') ?? ''}
            onChange={({ target }) => choose('unreported', target.value)}
          >
            <option value="">Any</option>
            {[...new Set([1, 7, 30, ...asDays(parameters.get('unreported'))])].map((days) => (
              <option key={days} value={days}>
                Last {countText(days, 'day')}
              </option>
            ))}
          </select>
        )}
      </Labelled>
      <DateFilter label="Last crash" />
      <ClearFilters path="/devices" />
    </div>
  );
}

/** Exports take the same parameters: src/http/export-filters.ts. */
function filterOf(parameters: URLSearchParams, now: number): DeviceFilter {
  const [search, model, version] = ['q', 'model', 'version'].map((name) => parameters.get(name) ?? '');
  const { after, before } = rangeOf(parameters, now);
  const running = parameters.get('running') ?? '';
  const [silentForDays] = asDays(parameters.get('silent'));
  const [unreportedCrashDays] = asDays(parameters.get('unreported'), 180);
  return {
    ...(running ? { runningVersion: [running] } : {}),
    ...(silentForDays === undefined ? {} : { silentForDays }),
    ...(unreportedCrashDays === undefined ? {} : { unreportedCrashDays }),
    ...(search ? { search } : {}),
    ...(model ? { modelCode: [model] } : {}),
    ...(version ? { firmwareVersion: [version] } : {}),
    ...(after === undefined ? {} : { lastCrashAfter: after }),
    ...(before === undefined ? {} : { lastCrashBefore: before }),
  };
}

/** A number of days in the address; none where it is no number that the server takes. */
function asDays(text: string | null, most = 365): number[] {
  const days = Number(text ?? '');
  return Number.isInteger(days) && days >= 1 && days <= most ? [days] : [];
}

const ORDERS: Readonly<Record<string, DeviceOrderField>> = {
  name: 'NAME',
  crashes: 'CRASH_COUNT',
  crash: 'LAST_CRASH_AT',
  seen: 'LAST_SEEN_AT',
};
