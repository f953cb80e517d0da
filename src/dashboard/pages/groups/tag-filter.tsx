import { useId } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { graphql } from '../../generated';

const TagsInFilter = graphql(`
  query TagsInFilter { tags { id name groupCount } }
`);

/** Groups with one tag; beside it the way to all tags and their rules. */
export function TagFilter({ value, onChoose }: { value: string; onChoose: (tag: string) => void }) {
  const id = useId();
  const [{ data }] = useQuery({ query: TagsInFilter, requestPolicy: 'cache-and-network' });
  return (
    <div className="labelled">
      <span className="label-row">
        <label htmlFor={id}>Tag</label> <Link href="/tags">Tags</Link>
      </span>
      <select id={id} value={value} onChange={({ target }) => onChoose(target.value)}>
        <option value="">All</option>
        {data?.tags?.map((tag) => (
          <option key={tag.id} value={tag.id}>
            {tag.name} ({tag.groupCount.toLocaleString('en')})
          </option>
        ))}
      </select>
    </div>
  );
}
