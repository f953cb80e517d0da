import { useState, useSyncExternalStore } from 'react';
import { Dialog } from '../parts/dialog';
import { onSessionChange, sessionState } from '../session/session';
import { signOut } from '../session/sign-in';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Who has signed in, with which role and until when, and the ways out. */
export function AccountMenu() {
  const [isOpen, setOpen] = useState(false);
  const { person } = useSyncExternalStore(onSessionChange, sessionState);
  if (person === null) return null;
  return (
    <>
      <button type="button" className="quiet-button account-button" onClick={() => setOpen(true)}>
        Account
      </button>
      <Dialog title="Account" isOpen={isOpen} onClose={() => setOpen(false)}>
        <div className="dialog-body">
          <dl className="account-facts">
            <dt>Signed in as</dt>
            <dd>{person.name}</dd>
            <dt>Role</dt>
            <dd>{person.role}</dd>
            <dt>Until</dt>
            <dd>{untilOf(person.expiresAt)}</dd>
          </dl>
          <SignOutButtons />
          {person.via === 'token' && (
            <p className="hint">“Everywhere” signs out everybody who has signed in with this token.</p>
          )}
        </div>
      </Dialog>
    </>
  );
}

/** Also for who sees nothing else. */
export function SignOutButtons() {
  const [problem, setProblem] = useState<string | null>(null);
  const leave = (isEverywhere: boolean) => {
    setProblem(null);
    signOut(isEverywhere).catch((error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <>
      {problem !== null && (
        <p className="notice" data-tone="danger" role="alert">
          You are still signed in. {problem}
        </p>
      )}
      <div className="account-buttons">
        <button type="button" className="button" data-tone="primary" onClick={() => leave(false)}>
          Sign out
        </button>
        <button type="button" className="button" onClick={() => leave(true)}>
          Sign out everywhere
        </button>
      </div>
    </>
  );
}

function untilOf(expiresAt: string | null): string {
  if (expiresAt === null) return 'you sign out';
  const end = new Date(expiresAt);
  const at = end.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  // Each use moves this end; that of a token stays where it is, and is sooner.
  return end.getTime() - Date.now() > 29 * DAY_MS ? `${at}, and longer while you use it` : at;
}
