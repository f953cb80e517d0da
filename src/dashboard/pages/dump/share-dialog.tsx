import { type FormEvent, useState } from 'react';
import { useQuery } from 'urql';
import { SERVER_URL } from '../../base-path';
import { graphql } from '../../generated';
import type { ShareLinkInListFragment } from '../../generated/graphql';
import { CodeBlock } from '../../parts/code-block';
import { Dialog } from '../../parts/dialog';
import { Field } from '../../parts/field';
import { ErrorNotice, Loading } from '../../parts/notices';
import { Ago, Moment } from '../../parts/time';
import { useAction } from '../../parts/use-action';

graphql(`
  fragment ShareLinkInList on ShareLink { id hint createdAt createdBy expiresAt revokedAt lastUsedAt }
`);
const ShareLinks = graphql(`
  query ShareLinks($id: ID!) { coredump(id: $id) { id shareLinks(first: 30) { totalCount nodes { ...ShareLinkInList } } } }
`);
const CreateShareLink = graphql(`
  mutation CreateShareLink($id: ID!, $days: Int!) {
    createShareLink(input: { coredumpId: $id, expiresInDays: $days }) { token shareLink { ...ShareLinkInList } }
  }
`);
const RevokeShareLink = graphql(`
  mutation RevokeShareLink($id: ID!) { revokeShareLink(input: { id: $id }) { shareLink { ...ShareLinkInList } } }
`);

/** Links to this crash alone, for people without an account. */
export function ShareButton({ dumpId }: { dumpId: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Share…
      </button>
      <Dialog title="Share this crash" isOpen={isOpen} onClose={() => setOpen(false)}>
        <ShareForm dumpId={dumpId} />
      </Dialog>
    </>
  );
}

function ShareForm({ dumpId }: { dumpId: string }) {
  const create = useAction(CreateShareLink);
  const [token, setToken] = useState<string | null>(null);
  const [{ data, error }, readAgain] = useQuery({
    query: ShareLinks,
    variables: { id: dumpId },
    requestPolicy: 'network-only',
  });
  const links = data?.coredump?.shareLinks.nodes ?? [];
  const isUsable =
    token !== null && !links.some((link) => token.endsWith(link.hint) && link.revokedAt != null);
  const readLinks = () => readAgain({ requestPolicy: 'network-only' });

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const days = Number(new FormData(event.currentTarget).get('days'));
    const answer = await create.run({ id: dumpId, days });
    if (answer === undefined) return;
    setToken(answer.createShareLink.token);
    readLinks();
  }

  return (
    <div className="dialog-body">
      <p className="hint">
        Who has the link sees this crash without signing in: its report without memory contents, as viewers
        see it, and nothing else.
      </p>
      <form className="share-form" onSubmit={(event) => void submit(event)}>
        <Field label="Days" name="days" type="number" min={1} max={90} defaultValue={7} required />
        <button type="submit" className="button" data-tone="primary" disabled={create.isRunning}>
          Make a link
        </button>
      </form>
      {isUsable && <CodeBlock label="Link, shown only now" text={`${SERVER_URL}/shared#${token}`} />}
      {error !== undefined && <ErrorNotice error={error} />}
      {data === undefined && error === undefined && <Loading />}
      <ShareList links={links} onChange={readLinks} />
    </div>
  );
}

function ShareList({ links, onChange }: { links: readonly ShareLinkInListFragment[]; onChange: () => void }) {
  const { run, isRunning } = useAction(RevokeShareLink);
  if (links.length === 0) return null;
  return (
    <ul className="share-links" aria-label="Links">
      {links.map(({ id, hint, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt }) => (
        <li key={id}>
          <span>
            <span className="mono">…{hint}</span> by {createdBy} <Ago at={createdAt} />,{' '}
            {revokedAt != null ? (
              'revoked'
            ) : new Date(expiresAt) <= new Date() ? (
              'expired'
            ) : (
              <>
                until <Moment at={expiresAt} />
              </>
            )}
            {lastUsedAt == null ? (
              ', never opened'
            ) : (
              <>
                , last opened <Ago at={lastUsedAt} />
              </>
            )}
          </span>
          {revokedAt == null && (
            <button
              type="button"
              className="quiet-button"
              aria-label={`Revoke …${hint}`}
              disabled={isRunning}
              onClick={() => void run({ id }).then(onChange)}
            >
              Revoke
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
