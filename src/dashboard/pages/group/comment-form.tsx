import { type FormEvent, type KeyboardEvent, useEffect, useId, useMemo, useRef } from 'react';
import { graphql } from '../../generated';
import { useAction } from '../../parts/use-action';
import { useKeptFocus } from '../../parts/use-kept-focus';
import { usePageKeys } from '../../shell/page-keys';

const AddComment = graphql(`
  mutation AddComment($groupId: ID!, $text: String!) {
    addGroupComment(input: { groupId: $groupId, text: $text }) { comment { id } }
  }
`);

const MAX_LENGTH = 4_000;

/** What people say about a group; the key `c` leads there. */
export function CommentForm({ groupId }: { groupId: string }) {
  const add = useAction(AddComment);
  const field = useRef<HTMLTextAreaElement>(null);
  usePageKeys(useMemo(() => ({ c: () => field.current?.focus() }), []));
  return (
    <CommentText
      label="Comment"
      button="Comment"
      field={field}
      isRunning={add.isRunning}
      onSend={async (text) => (await add.run({ groupId, text })) !== undefined}
    />
  );
}

/** A text with its button; Ctrl+Enter sends it, too. */
export function CommentText({
  label,
  button,
  initial = '',
  field,
  isRunning,
  onSend,
  onCancel,
}: {
  label: string;
  button: string;
  initial?: string;
  field?: React.RefObject<HTMLTextAreaElement | null>;
  isRunning: boolean;
  /** @returns whether it was accepted */
  onSend: (text: string) => Promise<boolean>;
  onCancel?: () => void;
}) {
  const id = useId();
  const area = useKeptFocus<HTMLFormElement>();
  const isChange = onCancel !== undefined;
  useEffect(() => {
    // Who asks to change a text is about to type.
    if (isChange) area.current?.querySelector('textarea')?.focus();
  }, [isChange, area]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get('text') ?? '').trim();
    if (text !== '' && (await onSend(text))) form.reset();
  }

  function sendByKey(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  }

  return (
    <form ref={area} className="comment-form" onSubmit={(event) => void submit(event)}>
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <textarea
        ref={field}
        id={id}
        name="text"
        rows={2}
        maxLength={MAX_LENGTH}
        required
        placeholder="What do you know about it?"
        defaultValue={initial}
        onKeyDown={sendByKey}
      />
      <div className="dialog-actions">
        {onCancel !== undefined && (
          <button type="button" className="quiet-button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" className="button" disabled={isRunning}>
          {button}
        </button>
      </div>
    </form>
  );
}
