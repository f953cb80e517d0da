import { Link, useSearchParams } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import type { Whole } from '../../api/whole';
import { graphql } from '../../generated';
import type { SearchFleetQuery } from '../../generated/graphql';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { countOf, KIND_NAMES, shownHit } from '../../parts/search-hits';
import { Ago } from '../../parts/time';
import { useTitle } from '../../parts/use-title';
import { DeviceTable } from '../devices/device-table';
import { GroupTable } from '../groups/group-table';

const SearchFleet = graphql(`
  query SearchFleet($query: String!) {
    search(query: $query) {
      kinds(first: 25) {
        kind count hasMore
        hits {
          ...HitInBox
          node {
            ... on CrashGroup { ...GroupInList }
            ... on Device { ...DeviceInList }
            ... on Coredump { id uploadedAt model: device { id model { id code } } }
          }
        }
      }
    }
  }
`);

type Found = Whole<SearchFleetQuery>['search']['kinds'][number];
type Hit = Found['hits'][number];
type Node = NonNullable<Hit['node']>;

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
  const kinds = data?.search.kinds ?? [];

  return (
    <>
      <header className="page-head">
        <h1>“{query}”</h1>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      {data === undefined && error === undefined && <Loading />}
      {kinds.map((found) => (
        <section key={found.kind} className="card" aria-labelledby={`found-${found.kind}`}>
          <header className="card-head">
            <h2 id={`found-${found.kind}`}>{KIND_NAMES[found.kind]}</h2>
            <span className="count">{countOf(found.count, found.hasMore)}</span>
          </header>
          <Hits found={found} />
        </section>
      ))}
      {data !== undefined && error === undefined && !isLoading && kinds.length === 0 && (
        <SearchGuide title="Nothing matches" />
      )}
    </>
  );
}

/** Groups and devices as in their lists; the others as lines with the place that matches. */
function Hits({ found: { kind, hits } }: { found: Found }) {
  const nodes = hits.map(({ node }) => node);
  if (kind === 'CRASH_GROUP') return <GroupTable groups={nodes.filter(isOf('CrashGroup'))} />;
  if (kind === 'DEVICE') return <DeviceTable devices={nodes.filter(isOf('Device'))} />;
  return (
    <ul className="hits">
      {hits.map((hit) => {
        const line = shownHit(hit);
        if (line === null) return null;
        const isText = hit.snippet.length > 0;
        return (
          <li key={`${line.path} ${line.title}`}>
            <Link href={line.path} data-row className="row-link">
              {line.title}
            </Link>
            <span className="count">
              {hit.node?.__typename === 'Coredump' ? (
                <>
                  {hit.node.device.name ?? hit.node.device.key} · {hit.node.model.model.code}{' '}
                  {hit.node.crashVersion} · <Ago at={hit.node.uploadedAt} />
                </>
              ) : (
                line.detail
              )}
            </span>
            {hit.node?.__typename === 'Coredump' && (
              <p className="snippet">
                {isText
                  ? hit.snippet.map(({ text, isMatch }, index) =>
                      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never change places
                      isMatch ? <mark key={index}>{text}</mark> : text,
                    )
                  : hit.node.filename}
              </p>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function isOf<Name extends Node['__typename']>(name: Name) {
  return (node: Node | null | undefined): node is Extract<Node, { __typename: Name }> =>
    node?.__typename === name;
}

function SearchGuide({ title }: { title: string }) {
  return (
    <EmptyState title={title}>
      <p>
        All words must occur, in upper or lower case, each as the beginning of a word:{' '}
        <code>sensor conv</code> finds <code>sensor_convert</code>. Text in double quotes is a phrase of whole
        words. Devices, models, builds and groups are found by any part of their names; builds, dumps and
        groups also by the beginning of a SHA-256 or fingerprint, and dumps by an address:{' '}
        <code>0x42009351</code>.
      </p>
    </EmptyState>
  );
}
