import { graphql } from '../generated';
import type { TagOnChipFragment } from '../generated/graphql';

graphql(`
  fragment TagOnChip on Tag { id name color }
`);

/** A tag of a crash group, in its color. */
export function TagChip({
  tag: { name, color },
  onRemove,
}: {
  tag: Pick<TagOnChipFragment, 'name' | 'color'>;
  onRemove?: () => void;
}) {
  return (
    <span className="tag-chip" data-color={color}>
      {name}
      {onRemove !== undefined && (
        <button type="button" aria-label={`Remove tag ${name}`} onClick={onRemove}>
          ×
        </button>
      )}
    </span>
  );
}

/** The tags of a group in one line; nothing without any. */
export function TagChips({ tags }: { tags: readonly TagOnChipFragment[] }) {
  if (tags.length === 0) return null;
  return (
    <span className="tag-chips">
      {tags.map((tag) => (
        <TagChip key={tag.id} tag={tag} />
      ))}
    </span>
  );
}
