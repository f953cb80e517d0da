import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import type { Whole } from '../../api/whole';
import { graphql } from '../../generated';
import type { SearchFleetQuery } from '../../generated/graphql';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { Ago } from '../../parts/time';
import { useTitle } from '../../parts/use-title';
import { DeviceTable } from '../devices/device-table';
import { GroupTable } from '../groups/group-table';

const SearchFleet = graphql(`
  query SearchFleet($query: String!) {
    search(query: $query) {
      crashGroups(first: 25) { nodes { ...GroupInList } }
      devices(first: 25) { nodes { ...DeviceInList } }
      coredumps(first: 25) {
        nodes {
          coredump { id firmwareVersion uploadedAt device { id key name model { id code } } report { reason } }
          snippet { text isMatch }
        }
      }
    }
  }
`);

type Hit = Whole<SearchFleetQuery>['search']['coredumps']['nodes'][number];

/** Groups, devices and dumps that contain all words, each dump with the matching part of its text. */
export function SearchPage() {
  const [parameters] = useSearchParams();
  const query = parameters.get('q') ?? '';
  useTitle(query === '' ? 'Search' : query);
  if (query === '') return <SearchGuide title="Search the fleet" />;
  return <Found query={query} />;
}

function Found({ query }: { query: string }) {
  const { data, error, isLoading } = useLiveQuery(SearchFleet, { query });
  const groups = data?.search.crashGroups.nodes ?? [];
  const devices = data?.search.devices.nodes ?? [];
  const hits = data?.search.coredumps.nodes ?? [];
  const isEmpty = groups.length + devices.length + hits.length === 0;

  return (
    <>
      <header className="page-head">
        <h1>“{query}”</h1>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      {data === undefined && error === undefined && <Loading />}
      {groups.length > 0 && (
        <section className="card" aria-labelledby="found-groups">
          <header className="card-head">
            <h2 id="found-groups">Crash groups</h2>
          </header>
          <GroupTable groups={groups} />
        </section>
      )}
      {devices.length > 0 && (
        <section className="card" aria-labelledby="found-devices">
          <header className="card-head">
            <h2 id="found-devices">Devices</h2>
          </header>
          <DeviceTable devices={devices} />
        </section>
      )}
      {hits.length > 0 && <Hits hits={hits} />}
      {data !== undefined && error === undefined && !isLoading && isEmpty && (
        <SearchGuide title="Nothing matches" />
      )}
    </>
  );
}

function Hits({ hits }: { hits: readonly Hit[] }) {
  return (
    <section className="card" aria-labelledby="found-dumps">
      <header className="card-head">
        <h2 id="found-dumps">Dumps</h2>
      </header>
      <ul className="hits">
        {hits.map(({ coredump, snippet }) =>
          // The dump was deleted between the search and the answer.
          coredump == null ? null : (
            <li key={coredump.id}>
              <Link href={`/dumps/${encodeURIComponent(coredump.id)}`} data-row className="row-link">
                {coredump.report?.reason.split('\n')[0] ?? 'Not read'}
              </Link>
              <span className="count">
                {coredump.device.name ?? coredump.device.key} · {coredump.device.model.code}{' '}
                {coredump.firmwareVersion} · <Ago at={coredump.uploadedAt} />
              </span>
              <p className="snippet">
                {snippet.map(({ text, isMatch }, index) =>
                  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never change places
                  isMatch ? <mark key={index}>{text}</mark> : text,
                )}
              </p>
            </li>
          ),
        )}
      </ul>
    </section>
  );
}

function SearchGuide({ title }: { title: string }) {
  return (
    <EmptyState title={title}>
      <p>
        All words must occur, in upper or lower case, each as the beginning of a word:{' '}
        <code>sensor conv</code> finds <code>sensor_convert</code>. Text in double quotes is a phrase of whole
        words. Devices are found by any part of key or name.
      </p>
    </EmptyState>
  );
}
