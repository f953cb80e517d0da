import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { ActivityInListFragment, GroupActivityOnPageFragment } from '../../generated/graphql';
import { ErrorNotice, Loading } from '../../parts/notices';
import { Ago } from '../../parts/time';
import { useKeptFocus } from '../../parts/use-kept-focus';
import { ActivityItem } from './activity-item';
import { CommentForm } from './comment-form';

graphql(`
  fragment ActivityInList on GroupActivity { id at kind actor text editedAt isOwn }
`);
graphql(`
  fragment GroupActivityOnPage on CrashGroup {
    id firstSeenAt
    activity(first: 30) { totalCount nodes { ...ActivityInList } pageInfo { endCursor } }
  }
`);
const EarlierActivity = graphql(`
  query EarlierActivity($id: ID!, $after: String) {
    crashGroup(id: $id) { id activity(first: 200, after: $after) { nodes { ...ActivityInList } } }
  }
`);

/** Who did what with a group, and what people say about it, the latest first; for viewers, too. */
export function GroupActivity({ group }: { group: GroupActivityOnPageFragment }) {
  const { totalCount, nodes, pageInfo } = group.activity;
  const [isOpen, setOpen] = useState(false);
  const area = useKeptFocus<HTMLElement>();
  const missing = totalCount - nodes.length;
  return (
    <section ref={area} className="card" aria-labelledby="activity">
      <header className="card-head">
        <h2 id="activity">Activity</h2>
      </header>
      <CommentForm groupId={group.id} />
      <ul className="activity">
        {nodes.map((activity) => (
          <ActivityItem key={activity.id} activity={activity} />
        ))}
        {missing > 0 && isOpen && <Earlier groupId={group.id} after={pageInfo.endCursor ?? null} />}
        {missing > 0 && !isOpen ? (
          <li>
            <button type="button" className="quiet-button" onClick={() => setOpen(true)}>
              Show {missing.toLocaleString('en')} earlier
            </button>
          </li>
        ) : (
          <li>
            <span>First crash</span>
            <Ago at={group.firstSeenAt} />
          </li>
        )}
      </ul>
    </section>
  );
}

function Earlier({ groupId, after }: { groupId: string; after: string | null }) {
  const [{ data, error }] = useQuery({ query: EarlierActivity, variables: { id: groupId, after } });
  const nodes: readonly ActivityInListFragment[] = data?.crashGroup?.activity.nodes ?? [];
  return (
    <>
      {nodes.map((activity) => (
        <ActivityItem key={activity.id} activity={activity} />
      ))}
      {data === undefined && <li>{error === undefined ? <Loading /> : <ErrorNotice error={error} />}</li>}
    </>
  );
}
