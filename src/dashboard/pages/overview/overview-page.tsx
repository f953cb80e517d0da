import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import type { Whole } from '../../api/whole';
import { graphql } from '../../generated';
import type { OverviewQuery } from '../../generated/graphql';
import { FirstDumpGuide } from '../../parts/first-dump-guide';
import { MissingFirmware } from '../../parts/missing-firmware';
import { NewBar } from '../../parts/new-bar';
import { ErrorNotice, Loading } from '../../parts/notices';
import { FAILED_FILTER, WAITING_FILTER } from '../../parts/parse-state';
import { countText } from '../../parts/sizes';
import { useCalmList } from '../../parts/use-calm-list';
import { useTitle } from '../../parts/use-title';
import { DumpTable } from '../dumps/dump-table';
import { GroupTable } from '../groups/group-table';
import { CrashChart } from './crash-chart';
import { ReadinessHints } from './readiness-hints';

const Overview = graphql(`
  query Overview($waiting: CoredumpFilter, $failed: CoredumpFilter) {
    recent: coredumps(first: 12) { totalCount nodes { ...DumpInList } }
    parsed: coredumps(first: 0, filter: { parseStatus: [PARSED] }) { totalCount }
    pending: coredumps(first: 0, filter: { parseStatus: [PENDING] }) { totalCount }
    waiting: coredumps(first: 0, filter: $waiting) { totalCount }
    failed: coredumps(first: 0, filter: $failed) { totalCount }
    devices(first: 0) { totalCount }
    silent: devices(first: 0, filter: { silentForDays: 7 }) { totalCount }
    boots(days: 7) { unreportedCrashCount bootCount }
    worst: crashGroups(first: 6, filter: { state: [OPEN] }, orderBy: { field: VELOCITY }) { totalCount nodes { ...GroupInList } }
  }
`);

/** The state of the fleet: recent dumps, pending work, and whether the server is ready. */
export function OverviewPage() {
  useTitle('Overview');
  const { data, error, isAnswer, isFresh } = useLiveQuery(Overview, {
    waiting: WAITING_FILTER,
    failed: FAILED_FILTER,
  });

  return (
    <>
      <header className="page-head">
        <h1>Fleet</h1>
        <div className="actions">
          <Link href="/decode" className="button">
            Decode a crash
          </Link>
        </div>
      </header>
      <ReadinessHints />
      <MissingFirmware />
      {error !== undefined && <ErrorNotice error={error} />}
      {data === undefined && error === undefined && <Loading />}
      {data !== undefined && <Counts data={data} />}
      {data?.recent.totalCount === 0 && <FirstDumpGuide />}
      {data !== undefined && data.recent.totalCount > 0 && (
        <>
          <CrashChart />
          <Worst data={data} isAnswer={isAnswer} isFresh={isFresh} />
          <Recent data={data} isAnswer={isAnswer} isFresh={isFresh} />
        </>
      )}
    </>
  );
}

interface Count {
  name: string;
  value: number;
  path: string;
  tone?: string;
  about?: string;
}

function Counts({ data }: { data: Whole<OverviewQuery> }) {
  const counts: Count[] = [
    { name: 'Dumps', value: data.recent.totalCount, path: '/dumps' },
    { name: 'Parsed', value: data.parsed.totalCount, path: '/dumps?status=parsed' },
    { name: 'Pending', value: data.pending.totalCount, path: '/dumps?status=pending' },
    {
      name: 'Waiting for build',
      value: data.waiting.totalCount,
      path: '/dumps?status=waiting',
      tone: 'warn',
    },
    { name: 'Errors', value: data.failed.totalCount, path: '/dumps?status=error', tone: 'danger' },
    { name: 'Devices', value: data.devices.totalCount, path: '/devices' },
    ...(data.boots.bootCount > 0 || data.silent.totalCount > 0
      ? [
          {
            name: 'Silent for a week',
            value: data.silent.totalCount,
            path: '/devices?silent=7',
            tone: 'warn',
          },
          {
            name: 'Crashes without a dump',
            about: 'Crashes of the last 7 days that only boot reports tell of',
            value: data.boots.unreportedCrashCount,
            path: '/devices?unreported=7',
            tone: 'danger',
          },
        ]
      : []),
  ];
  return (
    <ul className="figures" aria-label="Counts">
      {counts.map(({ name, value, path, tone, about }) => (
        <li key={name}>
          <Link href={path} title={about}>
            <span className="figure" data-tone={value > 0 ? tone : undefined}>
              {value.toLocaleString('en')}
            </span>
            <span className="figure-name">{name}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

interface PartProps {
  data: Whole<OverviewQuery>;
  isAnswer: boolean;
  isFresh: boolean;
}

const [WORST, RECENT] = [6, 12];

function Worst({ data, isAnswer, isFresh }: PartProps) {
  const list = useCalmList(data.worst.nodes, { key: '', isAnswer, isFresh, pageSize: WORST });
  if (list.rows.length === 0) return null;
  return (
    <section className="card" aria-labelledby="worst">
      <header className="card-head">
        <h2 id="worst">Highest crash rate now</h2>
        <NewBar list={list} pageSize={WORST} />
        <Link href="/groups?sort=rate">{countText(data.worst.totalCount, 'open group')}</Link>
      </header>
      <GroupTable groups={list.rows} by="rate" gone={list.gone} />
    </section>
  );
}

function Recent({ data, isAnswer, isFresh }: PartProps) {
  const list = useCalmList(data.recent.nodes, { key: '', isAnswer, isFresh, pageSize: RECENT });
  return (
    <section className="card" aria-labelledby="recent">
      <header className="card-head">
        <h2 id="recent">Latest dumps</h2>
        <NewBar list={list} pageSize={RECENT} />
        <Link href="/dumps">All dumps</Link>
      </header>
      <DumpTable dumps={list.rows} gone={list.gone} />
    </section>
  );
}
