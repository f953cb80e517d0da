import { useEffect, useRef } from 'react';
import type { PageConfig } from '../../session/page-config';
import { SignInCard } from './sign-in-page';

/**
 * The sign-in in front of a page whose session has ended. A modal dialog, because the page behind may have one open: it
 * would take the focus.
 */
export function LockedPage({ oidc }: { oidc: PageConfig['oidc'] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      className="locked-page"
      aria-label="Sign in"
      // Escape would show the page behind.
      onCancel={(event) => event.preventDefault()}
      onKeyDown={(event) => event.key === 'Escape' && event.preventDefault()}
    >
      <SignInCard oidc={oidc} />
    </dialog>
  );
}
