import { type FormEvent, useState } from 'react';
import { graphql } from '../../generated';
import type { TagColor, TagInListFragment } from '../../generated/graphql';
import { Dialog } from '../../parts/dialog';
import { DialogActions } from '../../parts/dialog-actions';
import { Field } from '../../parts/field';
import { TagChip } from '../../parts/tag-chip';
import { useAction } from '../../parts/use-action';

const CreateTag = graphql(`
  mutation CreateTag($input: CreateTagInput!) { createTag(input: $input) { tag { id } } }
`);
const UpdateTag = graphql(`
  mutation UpdateTag($input: UpdateTagInput!) { updateTag(input: $input) { tag { id } } }
`);

const COLORS: readonly TagColor[] = ['GRAY', 'RED', 'ORANGE', 'YELLOW', 'GREEN', 'TEAL', 'BLUE', 'PURPLE'];

interface TagDialogProps {
  /** The tag to edit; a new one if absent. */
  tag?: TagInListFragment;
  isOpen: boolean;
  onClose: () => void;
}

/** Name and color of a tag. */
export function TagDialog(props: TagDialogProps) {
  const { tag, isOpen, onClose } = props;
  return (
    <Dialog title={tag === undefined ? 'New tag' : `Tag ${tag.name}`} isOpen={isOpen} onClose={onClose}>
      <TagForm {...props} />
    </Dialog>
  );
}

function TagForm({ tag, onClose }: TagDialogProps) {
  const [name, setName] = useState(tag?.name ?? '');
  const [color, setColor] = useState<TagColor>(tag?.color ?? 'GRAY');
  const create = useAction(CreateTag);
  const update = useAction(UpdateTag);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const answer =
      tag === undefined
        ? await create.run({ input: { name, color } })
        : await update.run({ input: { id: tag.id, name, color } });
    if (answer !== undefined) onClose();
  }

  return (
    <form className="dialog-body" onSubmit={(event) => void submit(event)}>
      <Field
        label="Name"
        required
        maxLength={32}
        value={name}
        onChange={({ target }) => setName(target.value)}
      />
      <fieldset className="tag-colors">
        <legend className="hint">Color</legend>
        {COLORS.map((each) => (
          <label key={each}>
            <input type="radio" name="color" checked={color === each} onChange={() => setColor(each)} />{' '}
            <TagChip tag={{ name: each.toLowerCase(), color: each }} />
          </label>
        ))}
      </fieldset>
      <DialogActions submit="Save" onCancel={onClose} isDisabled={create.isRunning || update.isRunning} />
    </form>
  );
}
