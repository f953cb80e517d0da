import { useEffect, useState } from 'react';
import { withBase } from '../../base-path';
import { useTitle } from '../../parts/use-title';
import { isCallback, type PageConfig } from '../../session/page-config';
import { beginSession, howItEnded } from '../../session/session';
import { TokenForm } from './token-form';

/** Sign-in at the issuer, where one is configured, or with a token. */
export function SignInPage({ oidc }: { oidc: PageConfig['oidc'] }) {
  useTitle('Sign in');
  const { problem, setProblem, isComingBack } = useComingBack(oidc);

  async function goThere() {
    if (oidc === null) return;
    const { goToIssuer } = await import('../../session/oidc');
    const { pathname, search } = window.location;
    const returnTo = isCallback(pathname) ? withBase('/') : `${pathname}${search}`;
    await goToIssuer(oidc, returnTo).catch((error: unknown) => setProblem(sentenceOf(error)));
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <img src={withBase('/favicon.svg')} alt="" width="40" height="40" />
        <h1>Coredock</h1>
        {howItEnded() === 'refused' && problem === null && (
          <p className="notice" data-tone="warn" role="status">
            The server does not accept the token, or not any more. Sign in again.
          </p>
        )}
        {howItEnded() === 'forbidden' && problem === null && (
          <p className="notice" data-tone="warn" role="status">
            You have signed in, but you have no role here. Ask for the role of a viewer or an admin.
          </p>
        )}
        {problem !== null && (
          <p className="notice" data-tone="danger" role="alert">
            {problem}
          </p>
        )}
        {isComingBack && <p role="status">Signing in…</p>}
        {oidc !== null && !isComingBack && (
          <>
            <button type="button" className="button" data-tone="primary" onClick={() => void goThere()}>
              Sign in with {new URL(oidc.issuer).host}
            </button>
            <p className="or">or</p>
          </>
        )}
        {!isComingBack && <TokenForm />}
      </div>
    </main>
  );
}

/** Handles the redirect from the issuer: the code in the address becomes a session. */
function useComingBack(oidc: PageConfig['oidc']) {
  const [problem, setProblem] = useState<string | null>(null);
  const [isComingBack, setComingBack] = useState(oidc !== null && isCallback(window.location.pathname));

  useEffect(() => {
    if (!isComingBack || oidc === null) return;
    let isCurrent = true;
    comeBack(oidc).catch((error: unknown) => {
      if (!isCurrent) return;
      setProblem(sentenceOf(error));
      setComingBack(false);
    });
    return () => {
      isCurrent = false;
    };
  }, [isComingBack, oidc]);
  return { problem, setProblem, isComingBack };
}

/** Runs once per address, because its code can be used only once, and React may run the effect twice. */
let comingBack: Promise<void> | null = null;

function comeBack(oidc: NonNullable<PageConfig['oidc']>): Promise<void> {
  comingBack ??= import('../../session/oidc')
    .then(({ comeBackFromIssuer }) => comeBackFromIssuer(oidc))
    .then(({ credentials, returnTo }) => {
      window.history.replaceState(null, '', returnTo);
      beginSession(credentials);
    })
    .finally(() => {
      comingBack = null;
    });
  return comingBack;
}

function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!window.isSecureContext) return 'Browsers sign in at an issuer only from https:// (or localhost).';
  return `Signing in failed: ${text}`;
}
