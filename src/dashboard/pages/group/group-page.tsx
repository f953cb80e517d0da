import { useEffect } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { BarChart } from '../../parts/bar-chart';
import { GroupState } from '../../parts/group-state';
import { ErrorNotice, Loading } from '../../parts/notices';
import { Paging } from '../../parts/paging';
import { countText } from '../../parts/sizes';
import { Ago } from '../../parts/time';
import { useTitle } from '../../parts/use-title';
import { ForAdmins } from '../../session/role';
import { addressOfList } from '../../shell/list-addresses';
import { DumpTable } from '../dumps/dump-table';
import { NotFoundPage } from '../not-found-page';
import { Fingerprints } from './fingerprints';
import { GroupActions } from './group-actions';
import { GroupActivity } from './group-activity';
import { GroupNote } from './group-note';
import { GroupTags } from './group-tags';
import { IgnoredUntil } from './ignored-until';
import { VariantTable } from './variant-table';

graphql(`
  fragment GroupOnPage on CrashGroup {
    id title reason state isRegression regressedInVersion resolvedInVersion
    ...GroupNoteOnPage ...IgnoredUntilOnPage
    count keptCount deviceCount firstSeenAt lastSeenAt firmwareVersions fingerprints
    culpritFunction culpritFile
    tags { ...TagOnChip }
    variants { ...VariantInList }
    crashes(unit: DAY) { start count }
  }
`);
const GroupById = graphql(`
  query GroupById($id: ID!, $after: String) {
    crashGroup(id: $id) {
      ...GroupOnPage
      ...GroupActivityOnPage
      coredumps(first: 20, after: $after) { nodes { ...DumpInList } pageInfo { hasNextPage endCursor } }
    }
  }
`);

/** One crash group: its frequency, first and last crash, variants, state, assignee and note. */
export function GroupPage({ id }: { id: string }) {
  const [parameters] = useSearchParams();
  const { data, error } = useLiveQuery(
    GroupById,
    { id, after: parameters.get('after') },
    (change) => change.kind === 'COREDUMP' || change.id === id,
  );
  const group = data?.crashGroup;
  useTitle(group?.title ?? 'Crash group');
  useCurrentAddress(id, group?.id);

  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  if (group == null) return <NotFoundPage />;
  const { nodes, pageInfo } = group.coredumps;
  return (
    <article>
      <nav className="crumbs" aria-label="Where this is">
        <Link href={addressOfList('/groups')}>Crash groups</Link>
        <span aria-hidden="true">/</span>
        <span>{group.title}</span>
      </nav>
      <GroupHead group={group} />
      {error !== undefined && <ErrorNotice error={error} />}
      <div className="dump-columns">
        <div className="dump-main">
          <section className="card" aria-labelledby="over-time">
            <header className="card-head">
              <h2 id="over-time">Crashes a day</h2>
            </header>
            <BarChart buckets={group.crashes} by="DAY" label="Crashes a day, last 30 days" />
          </section>
          {nodes.length > 0 && (
            <section className="card" aria-labelledby="group-dumps">
              <header className="card-head">
                <h2 id="group-dumps">Dumps</h2>
                <span className="count">{group.keptCount.toLocaleString('en')} kept</span>
              </header>
              <DumpTable dumps={nodes} of="group" />
            </section>
          )}
          <Paging endCursor={pageInfo.endCursor ?? null} hasNextPage={pageInfo.hasNextPage} />
        </div>
        <aside className="dump-side">
          <GroupNote group={group} />
          <GroupActivity group={group} />
          <VariantTable variants={group.variants} />
          <Fingerprints group={group} />
        </aside>
      </div>
    </article>
  );
}

/** The id of a merged group leads to the group that took it in. */
function useCurrentAddress(asked: string, current: string | undefined) {
  const [, navigate] = useLocation();
  useEffect(() => {
    if (current === undefined || current === asked) return;
    navigate(`/groups/${encodeURIComponent(current)}`, { replace: true });
  }, [asked, current, navigate]);
}

function GroupHead({ group }: { group: GroupOnPageFragment }) {
  return (
    <header className="dump-head" data-status={group.state === 'OPEN' ? 'ERROR' : 'SETTLED'}>
      <div className="dump-title">
        <h1>{group.title}</h1>
        <p className="explanation">{group.reason.split('\n')[0]}</p>
        <p className="dump-line">
          <GroupState state={group.state} isRegression={group.isRegression} />
          {group.state === 'RESOLVED' && group.resolvedInVersion != null && (
            <span>in {group.resolvedInVersion}</span>
          )}
          <IgnoredUntil group={group} />
          <b>{countText(group.count, 'crash', 'crashes')}</b>
          <b>{countText(group.deviceCount, 'device')}</b>
          <span>
            first <Ago at={group.firstSeenAt} />
          </span>
          <span>
            last <Ago at={group.lastSeenAt} />
          </span>
          <ForAdmins>
            <Link href={`/alerts?${new URLSearchParams({ group: group.id })}`}>Alerts for this group</Link>
          </ForAdmins>
        </p>
        <GroupTags groupId={group.id} tags={group.tags} />
      </div>
      <ForAdmins>
        <GroupActions group={group} />
      </ForAdmins>
      {group.isRegression && (
        <p className="notice" data-tone="danger">
          It was resolved and crashed again
          {group.regressedInVersion != null && ` in version ${group.regressedInVersion}`}.
        </p>
      )}
    </header>
  );
}
