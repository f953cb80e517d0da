import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { GroupsOfReleaseFragment, ReleaseOnPageFragment } from '../../generated/graphql';
import { GroupState } from '../../parts/group-state';
import { EmptyState } from '../../parts/notices';
import { countText } from '../../parts/sizes';

graphql(`
  fragment GroupsOfRelease on ReleaseGroupConnection {
    totalCount
    edges { count comparedCount expectedCount node { id title reason state isRegression } }
  }
`);

/** The groups of a version, by what became of them in it: what is bad first. */
export function ReleaseGroups({ release }: { release: ReleaseOnPageFragment }) {
  const { regressed, fresh, remaining, gone, unseen, version, comparedTo, model } = release;
  const before = comparedTo?.version ?? null;
  const parts = [
    { name: 'Regressed', about: `Resolved once, and back in ${version}.`, groups: regressed },
    { name: 'New', about: `Not seen in any version before ${version}.`, groups: fresh },
    { name: 'Still there', about: `In ${version}, and in a version before it.`, groups: remaining },
    {
      name: 'Gone',
      about: `In ${before}, and not in ${version}, where three crashes or more would be expected by now.`,
      groups: gone,
    },
    {
      name: 'Not seen so far',
      about: `In ${before}, and not in ${version}: too few devices ran it for long enough to say that they are gone.`,
      groups: unseen,
    },
  ].filter(({ groups }) => groups.totalCount > 0);
  if (parts.length === 0) {
    return (
      <EmptyState title="No crash">
        <p>
          No crash of {version}
          {before !== null && ` or ${before}`} was counted.
        </p>
      </EmptyState>
    );
  }
  return parts.map(({ name, about, groups }) => (
    <section key={name} className="card" aria-label={name}>
      <header className="card-head">
        <h2>
          {name} <span className="count">{groups.totalCount}</span>
        </h2>
        <span className="muted">{about}</span>
      </header>
      <Groups groups={groups} version={version} before={before} />
      {groups.totalCount > groups.edges.length && (
        <p className="hint">
          {countText(groups.totalCount - groups.edges.length, 'more group')}:{' '}
          <Link href={`/groups?${new URLSearchParams({ model: model.code, version })}`}>
            all groups of {version}
          </Link>
        </p>
      )}
    </section>
  ));
}

function Groups({
  groups,
  version,
  before,
}: {
  groups: GroupsOfReleaseFragment;
  version: string;
  before: string | null;
}) {
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Crash</th>
          <th scope="col">State</th>
          <th scope="col" className="end mono">
            {version}
          </th>
          {before !== null && (
            <th scope="col" className="end mono">
              {before}
            </th>
          )}
          {before !== null && (
            <th scope="col" className="end wide" title={`Crashes by now at the rate of ${before}`}>
              Expected
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {groups.edges.map(({ node, count, comparedCount, expectedCount }) => (
          <tr key={node.id}>
            <td className="name-cell">
              <Link href={`/groups/${encodeURIComponent(node.id)}`} data-row>
                {node.title}
              </Link>
              <div className="sub-line">{node.reason}</div>
            </td>
            <td>
              <GroupState state={node.state} isRegression={node.isRegression} />
            </td>
            <td className="number" data-unit={`in ${version}`}>
              {count.toLocaleString('en')}
            </td>
            {before !== null && (
              <td className="number" data-unit={`in ${before}`}>
                {comparedCount.toLocaleString('en')}
              </td>
            )}
            {before !== null && (
              <td className="number wide">{expectedCount == null ? '—' : expectedCount.toFixed(1)}</td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
