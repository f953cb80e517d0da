import { useContext, useState } from 'react';
import { Link } from 'wouter';
import { useLiveQuery } from '../../api/use-live-query';
import { graphql } from '../../generated';
import type { TagInListFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { EmptyState, ErrorNotice, Loading } from '../../parts/notices';
import { countText } from '../../parts/sizes';
import { TagChip } from '../../parts/tag-chip';
import { useAction } from '../../parts/use-action';
import { useTitle } from '../../parts/use-title';
import { ForAdmins, RoleContext } from '../../session/role';
import { TagDialog } from './tag-dialog';
import { TagRules } from './tag-rules';

graphql(`
  fragment TagInList on Tag {
    id name color groupCount
    rules { ...TagRuleInList }
  }
`);
const Tags = graphql(`
  query Tags { tags { ...TagInList } }
`);
const DeleteTag = graphql(`
  mutation DeleteTag($id: ID!) { deleteTag(input: { id: $id }) { deletedTagId } }
`);

/** All tags of crash groups, and the rules that give them. */
export function TagsPage() {
  useTitle('Tags');
  const { data, error } = useLiveQuery(Tags, {}, (change) => change.kind === 'CRASH_GROUP');
  const [isOpen, setOpen] = useState(false);
  const isAdmin = useContext(RoleContext) === 'admin';
  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} />;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link href="/groups">Crash groups</Link>
        <span aria-hidden="true">/</span>
        <span>Tags</span>
      </nav>
      <header className="page-head">
        <h1>Tags</h1>
        <span className="count">{countText(data.tags.length, 'tag')}</span>
        <ForAdmins>
          <div className="actions">
            <button type="button" className="button" data-tone="primary" onClick={() => setOpen(true)}>
              New tag
            </button>
          </div>
          <TagDialog isOpen={isOpen} onClose={() => setOpen(false)} />
        </ForAdmins>
      </header>
      {error !== undefined && <ErrorNotice error={error} />}
      {data.tags.length === 0 ? (
        <EmptyState title="No tag yet">
          <p>
            Tags sort crash groups by what matters to you: a team, a component, a release.{' '}
            {isAdmin && 'Make one here or on the page of a group.'}
          </p>
        </EmptyState>
      ) : (
        data.tags.map((tag) => <TagCard key={tag.id} tag={tag} />)
      )}
    </>
  );
}

function TagCard({ tag }: { tag: TagInListFragment }) {
  const [isEditing, setEditing] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const { run } = useAction(DeleteTag);
  return (
    <section className="card" aria-label={`Tag ${tag.name}`}>
      <header className="card-head">
        <h2>
          <TagChip tag={tag} />
        </h2>
        <Link href={`/groups?${new URLSearchParams({ state: 'all', tag: tag.id })}`} className="count">
          {countText(tag.groupCount, 'group')}
        </Link>
        <ForAdmins>
          <span className="tag-actions">
            <button type="button" className="quiet-button" onClick={() => setEditing(true)}>
              Edit
            </button>
            <button
              type="button"
              className="quiet-button"
              data-tone="danger"
              onClick={() => setDeleting(true)}
            >
              Delete
            </button>
          </span>
        </ForAdmins>
      </header>
      <TagRules tag={tag} />
      <TagDialog tag={tag} isOpen={isEditing} onClose={() => setEditing(false)} />
      <ConfirmDialog
        title={`Delete the tag ${tag.name}?`}
        action="Delete tag"
        isOpen={isDeleting}
        onClose={() => setDeleting(false)}
        onConfirm={() => void run({ id: tag.id })}
      >
        <p>
          It is on <b>{countText(tag.groupCount, 'group')}</b>, which lose it, and its rules are gone.
        </p>
      </ConfirmDialog>
    </section>
  );
}
