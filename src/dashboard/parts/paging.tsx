import { Link, useLocation, useSearchParams } from 'wouter';

/** Newer and older pages of a list, by the cursor in the address. */
export function Paging({ endCursor, hasNextPage }: { endCursor: string | null; hasNextPage: boolean }) {
  const [location] = useLocation();
  const [parameters] = useSearchParams();
  const isFirst = !parameters.has('after');
  if (isFirst && !hasNextPage) return null;

  const newest = new URLSearchParams(parameters);
  newest.delete('after');
  const older = new URLSearchParams(parameters);
  if (endCursor !== null) older.set('after', endCursor);
  return (
    <nav className="paging" aria-label="Pages of the list">
      {isFirst ? <span /> : <Link href={`${location}?${newest}`}>« Newest</Link>}
      {hasNextPage && <Link href={`${location}?${older}`}>Older »</Link>}
    </nav>
  );
}
