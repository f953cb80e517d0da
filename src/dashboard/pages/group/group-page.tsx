import { useEffect } from 'react';
import { Link, useLocation } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import type { Whole } from '../../api/whole';
import { graphql } from '../../generated';
import type { DumpOnPageFragment, GroupByIdQuery } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';
import { columnsOfSeries } from '../../parts/chart-columns';
import { ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { unitText } from '../../parts/sizes';
import { TIME_ZONE } from '../../parts/time-zone';
import { useTitle } from '../../parts/use-title';
import { addressOfList } from '../../shell/list-addresses';
import { DumpActions } from '../dump/dump-actions';
import { DumpBody } from '../dump/dump-body';
import { Waiting } from '../dump/waiting';
import { Warnings } from '../dump/warnings';
import { DumpTable } from '../dumps/dump-table';
import { NotFoundPage } from '../not-found-page';
import { CrashFilters } from './crash-filters';
import { CrashSteps, useCrashAddress } from './crash-steps';
import { DeviceList } from './device-list';
import { Fingerprints } from './fingerprints';
import { GroupActivity } from './group-activity';
import { GroupHead } from './group-head';
import { GroupNote } from './group-note';
import { dayOf, useGroupFilters } from './use-group-filters';
import { useCrashToShow, useShownCrash } from './use-shown-crash';
import { VariantTable } from './variant-table';

graphql(`
  fragment GroupOnPage on CrashGroup {
    id newTicketUrl title reason state isRegression regressedInVersion resolvedInVersion
    ...GroupNoteOnPage ...IgnoredUntilOnPage
    count keptCount deviceCount firstSeenAt lastSeenAt firmwareVersions fingerprints
    culpritFunction culpritFile
    tags { ...TagOnChip }
    variants { ...VariantInList }
  }
`);
const GroupById = graphql(`
  query GroupById(
    $id: ID!, $after: String, $devices: String, $filter: CoredumpFilter, $zone: String, $dump: ID!, $isChosen: Boolean!
  ) {
    crashesRecordedSince
    crashGroup(id: $id) {
      ...GroupOnPage
      ...GroupActivityOnPage
      crashBreakdown(by: FIRMWARE_VERSION, unit: DAY, first: 6, timeZone: $zone) { key isRest buckets { start count } }
      affectedDevices(first: 10, after: $devices) { ...DevicesOfGroupOnPage }
      coredumps(first: 20, after: $after, filter: $filter) {
        totalCount nodes { ...DumpInList } pageInfo { hasNextPage endCursor }
      }
      newest: coredumps(first: 2, filter: $filter) { nodes { id } }
      crash: coredumps(first: 1, filter: $filter) @skip(if: $isChosen) { nodes { ...DumpOnPage } }
      neighbors(of: $dump, filter: $filter) @include(if: $isChosen) { newer { id } older { id } }
    }
    coredump(id: $dump) @include(if: $isChosen) { ...DumpOnPage }
  }
`);

type Group = NonNullable<GroupByIdQuery['crashGroup']>;

/** One crash group: its newest crash in full, or another one that was chosen; then how often, where and since when. */
export function GroupPage({ id }: { id: string }) {
  const filters = useGroupFilters();
  const chosen = filters.parameters.get('dump');
  const shown = useShownCrash({ chosen, filterKey: JSON.stringify(filters.filter) });
  const { data, error, isFresh } = useLiveQuery(
    GroupById,
    {
      id,
      after: filters.parameters.get('after'),
      devices: filters.parameters.get('devices'),
      filter: filters.filter,
      zone: TIME_ZONE,
      dump: shown.asked ?? '',
      isChosen: shown.asked !== null,
    },
    (change) => change.kind === 'COREDUMP' || change.id === id,
  );
  const group = data?.crashGroup;
  const { dump, newCrashes } = useCrashToShow(shown, {
    isCurrent: isFresh,
    newest: group?.newest.nodes[0]?.id,
    count: group?.coredumps.totalCount ?? 0,
    // A link to a crash outlives its move to another group.
    shown: data?.coredump?.crashGroup?.id === group?.id ? data?.coredump : group?.crash?.nodes[0],
  });
  useTitle(group?.title ?? 'Crash group');
  useCurrentAddress(id, group?.id);

  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (group == null) return <NotFoundPage />;
  const lists = (
    <>
      <Frequency data={data} group={group} filters={filters} />
      <Dumps group={group} />
    </>
  );
  const facts = (
    <>
      <GroupNote group={group} />
      <GroupActivity group={group} />
      <DeviceList devices={group.affectedDevices} onChoose={(device) => filters.choose({ device })} />
      <VariantTable variants={group.variants} />
      <Fingerprints group={group} />
    </>
  );
  return (
    <article className="dump">
      <nav className="crumbs" aria-label="Where this is">
        <Link href={addressOfList('/groups')}>Crash groups</Link>
        <span aria-hidden="true">/</span>
        <span>{group.title}</span>
      </nav>
      <GroupHead group={group} report={dump?.report ?? null} />
      {error !== undefined && <ErrorNotice error={error} />}
      <CrashFilters group={group} filters={filters} />
      {newCrashes > 0 && (
        <p className="new-crashes" role="status">
          <button type="button" className="button" onClick={shown.showNewest}>
            {newCrashes.toLocaleString('en')} new {unitText(newCrashes, 'crash', 'crashes')}: show
          </button>
        </p>
      )}
      {dump == null ? (
        <>
          <p className="empty">
            <NoCrash group={group} isFiltered={filters.filter !== null} isChosen={chosen !== null} />
          </p>
          <div className="dump-columns">
            <div className="dump-main">{lists}</div>
            <aside className="dump-side">{facts}</aside>
          </div>
        </>
      ) : (
        <>
          <Crash group={group} dump={dump} />
          <DumpBody dump={dump} below={lists} beside={facts} />
        </>
      )}
    </article>
  );
}

/** Why no crash is shown. */
function NoCrash({ group, isFiltered, isChosen }: { group: Group; isFiltered: boolean; isChosen: boolean }) {
  const [location] = useLocation();
  if (isChosen && group.keptCount > 0) {
    return (
      <>
        The dump of this address is not one of this group, or was deleted.{' '}
        <Link href={location}>The newest crash</Link>
      </>
    );
  }
  return isFiltered && group.keptCount > 0 ? 'No dump matches.' : 'No dump of this group is stored any more.';
}

/** Versions by days: a click on a day or a version shows its crashes. */
function Frequency({
  data,
  group,
  filters: { parameters, choose },
}: {
  data: Whole<GroupByIdQuery>;
  group: Group;
  filters: ReturnType<typeof useGroupFilters>;
}) {
  const columns = columnsOfSeries(group.crashBreakdown, data.crashesRecordedSince);
  const [from, to] = [parameters.get('from'), parameters.get('to')];
  const selected = columns.find(({ at }) => from === to && dayOf(new Date(at)) === from)?.at;
  return (
    <section className="card" aria-labelledby="over-time">
      <header className="card-head">
        <h2 id="over-time">Crashes a day</h2>
      </header>
      {columns.length === 0 ? (
        <p className="chart-none">None in the last 30 days.</p>
      ) : (
        <BarChart
          columns={columns}
          by="DAY"
          label="Crashes a day by version, last 30 days"
          selected={selected}
          onSelect={({ at }) => {
            const day = at === selected ? '' : dayOf(new Date(at));
            choose({ from: day, to: day });
          }}
          onSelectName={(version) => choose({ version })}
        />
      )}
    </section>
  );
}

/** Which crash is shown, and what can be done with it. */
function Crash({ group, dump }: { group: Group; dump: DumpOnPageFragment }) {
  const [newest, second] = group.newest.nodes;
  const isNewest = dump.id === newest?.id;
  const neighbors = isNewest ? { newer: null, older: second } : group.neighbors;
  const addressOf = useCrashAddress();
  return (
    <section aria-label="The crash" className="group-crash">
      <CrashSteps dump={dump} newer={neighbors?.newer} older={neighbors?.older} isNewest={isNewest} />
      <DumpActions
        dump={dump}
        afterDelete={addressOf(neighbors?.older) ?? addressOf(neighbors?.newer) ?? addressOfList('/groups')}
      />
      <Waiting dump={dump} />
      {dump.report != null && <Warnings report={dump.report} withoutFirmware={dump.waitingFor == null} />}
    </section>
  );
}

function Dumps({ group: { coredumps } }: { group: Group }) {
  const { nodes, pageInfo, totalCount } = coredumps;
  if (nodes.length === 0) return null;
  return (
    <>
      <section className="card" aria-labelledby="group-dumps">
        <header className="card-head">
          <h2 id="group-dumps">Dumps</h2>
          <span className="count">{totalCount.toLocaleString('en')} kept</span>
        </header>
        <DumpTable dumps={nodes} of="group" />
      </section>
      <Paging endCursor={pageInfo.endCursor ?? null} hasNextPage={pageInfo.hasNextPage} />
    </>
  );
}

/** The id of a merged group leads to the group that took it in. */
function useCurrentAddress(asked: string, current: string | undefined) {
  const [, navigate] = useLocation();
  useEffect(() => {
    if (current === undefined || current === asked) return;
    navigate(`/groups/${encodeURIComponent(current)}${window.location.search}`, { replace: true });
  }, [asked, current, navigate]);
}
