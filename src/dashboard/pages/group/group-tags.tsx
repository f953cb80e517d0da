import { type FormEvent, useContext, useId, useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { graphql } from '../../generated';
import type { TagOnChipFragment } from '../../generated/graphql';
import { TagChip, TagChips } from '../../parts/tag-chip';
import { useAction } from '../../parts/use-action';
import { RoleContext } from '../../session/role';

const TagsToChoose = graphql(`
  query TagsToChoose { tags { ...TagOnChip } }
`);
const SetTagsOfGroup = graphql(`
  mutation SetTagsOfGroup($input: SetGroupTagsInput!) {
    setGroupTags(input: $input) { crashGroups { id tags { ...TagOnChip } } }
  }
`);
const CreateTagForGroup = graphql(`
  mutation CreateTagForGroup($name: String!) { createTag(input: { name: $name }) { tag { id } } }
`);

/** The tags of a group; admins add known or new ones by name, and remove them. */
export function GroupTags({ groupId, tags }: { groupId: string; tags: readonly TagOnChipFragment[] }) {
  const isAdmin = useContext(RoleContext) === 'admin';
  return isAdmin ? <TagEditor groupId={groupId} tags={tags} /> : <TagChips tags={tags} />;
}

function TagEditor({ groupId, tags }: { groupId: string; tags: readonly TagOnChipFragment[] }) {
  const listId = useId();
  const [name, setName] = useState('');
  const [{ data }] = useQuery({ query: TagsToChoose });
  const set = useAction(SetTagsOfGroup);
  const create = useAction(CreateTagForGroup);
  const known = data?.tags ?? [];
  const wanted = name.trim();
  const chosen = known.find((tag) => tag.name.toLowerCase() === wanted.toLowerCase());

  async function add(event: FormEvent) {
    event.preventDefault();
    if (wanted === '') return;
    const id = chosen?.id ?? (await create.run({ name: wanted }))?.createTag.tag.id;
    if (id === undefined) return;
    if ((await set.run({ input: { groupIds: [groupId], add: [id] } })) !== undefined) setName('');
  }

  return (
    <div className="tag-editor">
      {tags.map((tag) => (
        <TagChip
          key={tag.id}
          tag={tag}
          onRemove={() => void set.run({ input: { groupIds: [groupId], remove: [tag.id] } })}
        />
      ))}
      <form onSubmit={(event) => void add(event)}>
        <input
          aria-label="Add a tag"
          placeholder="Add a tag"
          list={listId}
          maxLength={32}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <datalist id={listId}>
          {known
            .filter(({ id }) => !tags.some((tag) => tag.id === id))
            .map((tag) => (
              <option key={tag.id} value={tag.name} />
            ))}
        </datalist>
        {wanted !== '' && (
          <button type="submit" className="quiet-button" disabled={set.isRunning || create.isRunning}>
            {chosen === undefined ? 'Create' : 'Add'}
          </button>
        )}
      </form>
      <Link href="/tags" className="hint">
        All tags
      </Link>
    </div>
  );
}
