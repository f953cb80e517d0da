import { type ReactNode, useContext, useState } from 'react';
import { graphql } from '../../generated';
import type { ActivityInListFragment } from '../../generated/graphql';
import { ConfirmDialog } from '../../parts/confirm-dialog';
import { ExternalLink, LinkedText } from '../../parts/linked-text';
import { countText } from '../../parts/sizes';
import { Ago, Moment } from '../../parts/time';
import { useAction } from '../../parts/use-action';
import { useKeptFocus } from '../../parts/use-kept-focus';
import { RoleContext } from '../../session/role';
import { CommentText } from './comment-form';

const EditComment = graphql(`
  mutation EditComment($id: ID!, $text: String!) {
    editGroupComment(input: { id: $id, text: $text }) { comment { id text editedAt } }
  }
`);
const DeleteComment = graphql(`
  mutation DeleteComment($id: ID!) { deleteGroupComment(input: { id: $id }) { deletedGroupActivityId } }
`);

/** One line of a group's activity, or a comment. */
export function ActivityItem({ activity }: { activity: ActivityInListFragment }) {
  if (activity.kind === 'COMMENT') return <Comment comment={activity} />;
  return (
    <li>
      <span>
        <b>{activity.actor ?? 'Coredock'}</b> {sentenceOf(activity)}
      </span>
      <Ago at={activity.at} />
    </li>
  );
}

function Comment({ comment }: { comment: ActivityInListFragment }) {
  const [isEditing, setEditing] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const isAdmin = useContext(RoleContext) === 'admin';
  const edit = useAction(EditComment);
  const remove = useAction(DeleteComment);
  const area = useKeptFocus<HTMLLIElement>();
  const { id, isOwn } = comment;
  const text = comment.text ?? '';

  async function save(changed: string): Promise<boolean> {
    const answer = await edit.run({ id, text: changed });
    if (answer !== undefined) setEditing(false);
    return answer !== undefined;
  }

  return (
    <li ref={area} className="comment">
      <p className="comment-head">
        <b>{comment.actor ?? 'nobody'}</b>
        <Ago at={comment.at} />
        {comment.editedAt != null && <span className="count">edited</span>}
        {isOwn && !isEditing && (
          <button type="button" className="quiet-button inline-button" onClick={() => setEditing(true)}>
            Edit
          </button>
        )}
        {(isOwn || isAdmin) && (
          <button
            type="button"
            className="quiet-button inline-button"
            disabled={remove.isRunning}
            onClick={() => setAsking(true)}
          >
            Delete
          </button>
        )}
      </p>
      <ConfirmDialog
        title="Delete this comment?"
        action="Delete comment"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => void remove.run({ id })}
      >
        <p>It is deleted for everybody. That cannot be undone.</p>
      </ConfirmDialog>
      {isEditing ? (
        <CommentText
          label="Your comment"
          button="Save"
          initial={text}
          isRunning={edit.isRunning}
          onSend={save}
          onCancel={() => setEditing(false)}
        />
      ) : (
        <LinkedText text={text} />
      )}
    </li>
  );
}

function sentenceOf({ kind, text }: ActivityInListFragment): ReactNode {
  switch (kind) {
    case 'RESOLVED':
      return text == null ? 'resolved it' : `resolved it in ${text}`;
    case 'REOPENED':
      return 'opened it again';
    case 'IGNORED':
      return text == null ? 'ignored it' : <>ignored it {untilOf(text)}</>;
    case 'IGNORE_ENDED':
      return <>opened it again{text == null ? '' : <>: {endOf(text)}</>}</>;
    case 'REGRESSED':
      return text == null
        ? 'saw it crash again after it was resolved'
        : `saw it crash again in ${text} after it was resolved`;
    case 'ASSIGNED':
      return text == null ? 'assigned it' : `assigned it to ${text}`;
    case 'UNASSIGNED':
      return 'assigned it to nobody';
    case 'NOTED':
      return text == null ? 'removed the note' : <>noted: {<LinkedText text={text} />}</>;
    case 'TICKET':
      return text == null ? (
        'removed the ticket'
      ) : (
        <>
          linked the ticket <ExternalLink href={text}>{text}</ExternalLink>
        </>
      );
    case 'MERGED':
      return `merged ${text ?? 'another group'} into it`;
    case 'SPLIT':
      return splitSentence(text ?? 'it');
    case 'MOVED':
      return `moved the crashes of ${text ?? 'another group'} here, which were read again`;
    case 'TAGGED':
      return `tagged it ${text ?? ''}`;
    case 'UNTAGGED':
      return `removed the tag ${text ?? ''}`;
    default:
      return 'changed it';
  }
}

function splitSentence(text: string): string {
  if (text.startsWith('into ')) return `split off ${text.slice('into '.length)}`;
  return text.startsWith('from ') ? `split it off ${text}` : `split off ${text}`;
}

/** `100 crashes`, `version 1.4.0`, or a time. */
function untilOf(text: string): ReactNode {
  const crashes = /^(\d+) crash(es)?$/.exec(text)?.[1];
  if (crashes !== undefined) return `for ${countText(Number(crashes), 'more crash', 'more crashes')}`;
  return isTime(text) ? (
    <>
      until <Moment at={text} />
    </>
  ) : (
    `until ${text}`
  );
}

function endOf(text: string): ReactNode {
  if (!isTime(text)) return `ignored until now, at ${text}`;
  return (
    <>
      ignored until <Moment at={text} />
    </>
  );
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT/.test(text);
}
