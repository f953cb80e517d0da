import type { ReleaseOnPageFragment } from '../../generated/graphql';

/** The head of a table with a column for the version, and one for that which it is compared with. */
export function VersionHeads({ label, release }: { label: string; release: ReleaseOnPageFragment }) {
  const { version, comparedTo } = release;
  return (
    <thead>
      <tr>
        <th scope="col">
          <span className="visually-hidden">{label}</span>
        </th>
        <th scope="col" className="end mono">
          {version}
        </th>
        {comparedTo != null && (
          <th scope="col" className="end mono">
            {comparedTo.version}
          </th>
        )}
      </tr>
    </thead>
  );
}
