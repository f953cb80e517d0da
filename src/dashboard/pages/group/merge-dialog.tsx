import { type FormEvent, useState } from 'react';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import { graphql } from '../../generated';
import type { GroupOnPageFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { ErrorNotice, Loading } from '../../parts/notices';
import { useAction } from '../../parts/use-action';

const GroupsToMerge = graphql(`
  query GroupsToMerge($filter: CrashGroupFilter) {
    crashGroups(first: 10, filter: $filter, orderBy: { field: LAST_SEEN_AT }) { nodes { id title count } }
  }
`);
const MergeGroups = graphql(`
  mutation MergeGroups($ids: [ID!]!, $intoId: ID!) {
    mergeCrashGroups(input: { ids: $ids, intoId: $intoId }) { crashGroup { id title } }
  }
`);

/** Merges this group into another one that has the same cause. */
export function MergeDialog({
  group,
  isOpen,
  onClose,
}: {
  group: GroupOnPageFragment;
  isOpen: boolean;
  onClose: () => void;
}) {
  const [words, setWords] = useState('');
  const [{ data, fetching, error }] = useQuery({
    query: GroupsToMerge,
    variables: { filter: words.trim() === '' ? null : { search: words } },
    pause: !isOpen,
  });
  const merge = useAction(MergeGroups);
  const [, navigate] = useLocation();
  const others = data?.crashGroups?.nodes.filter(({ id }) => id !== group.id) ?? [];

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const intoId = String(new FormData(event.currentTarget).get('into') ?? '');
    const answer = await merge.run({ ids: [group.id], intoId });
    if (answer === undefined) return;
    onClose();
    navigate(`/groups/${encodeURIComponent(intoId)}`);
  }

  return (
    <Dialog title="Merge into another group" isOpen={isOpen} onClose={onClose}>
      <form className="dialog-body" onSubmit={(event) => void submit(event)}>
        <p className="hint">
          Its crashes then count for the other group, whose state, assignee and note stay. It can be split off
          again.
        </p>
        <input
          type="search"
          className="narrow-search"
          aria-label="Find a group"
          placeholder="Find a group"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
        <fieldset className="choices">
          <legend className="visually-hidden">Group</legend>
          {others.map(({ id, title, count }) => (
            <label key={id}>
              <input type="radio" name="into" value={id} required /> {title}{' '}
              <span className="count">{count}</span>
            </label>
          ))}
          {fetching && others.length === 0 && <Loading />}
          {error !== undefined && <ErrorNotice error={error} />}
          {data?.crashGroups != null && !fetching && others.length === 0 && (
            <p className="count">No other group matches.</p>
          )}
        </fieldset>
        <DialogActions submit="Merge" isDisabled={others.length === 0 || merge.isRunning} />
      </form>
    </Dialog>
  );
}
