import { useEffect, useRef, useState } from 'react';
import { withBase } from '../../base-path';
import { useTitle } from '../../parts/use-title';
import { isCallback, type PageConfig } from '../../session/page-config';
import { sessionState } from '../../session/session';
import { SignInRefused, signIn } from '../../session/sign-in';
import { TokenForm } from './token-form';

type Oidc = PageConfig['oidc'];

/** All that the page shows to who has not signed in. */
export function SignInPage({ oidc }: { oidc: Oidc }) {
  useTitle('Sign in');
  return (
    <main className="sign-in">
      <SignInCard oidc={oidc} />
    </main>
  );
}

/** Sign-in at the issuer, where one is configured, or with a token. */
export function SignInCard({ oidc }: { oidc: Oidc }) {
  const { problem, setProblem, isComingBack } = useComingBack(oidc);
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isComingBack) card.current?.querySelector<HTMLElement>('button, input')?.focus();
  }, [isComingBack]);

  async function goThere() {
    if (oidc === null) return;
    const { goToIssuer } = await import('../../session/oidc');
    const { pathname, search, hash } = window.location;
    const returnTo = isCallback(pathname) ? withBase('/') : `${pathname}${search}${hash}`;
    await goToIssuer(oidc, returnTo).catch((error: unknown) => setProblem(sentenceOf(error)));
  }

  return (
    <div ref={card} className="sign-in-card">
      <img src={withBase('/favicon.svg')} alt="" width="40" height="40" />
      <h1>Coredock</h1>
      {problem === null && <WhyAgain />}
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
  );
}

/** Why a session that there was is over. */
function WhyAgain() {
  const { ended, isLocked } = sessionState();
  if (ended === 'ended') {
    return (
      <p className="notice" data-tone="warn" role="status">
        Your session has ended.{' '}
        {isLocked ? 'Sign in again to continue where you were, in this tab or another.' : 'Sign in again.'}
      </p>
    );
  }
  if (ended === 'forbidden') {
    return (
      <p className="notice" data-tone="warn" role="status">
        You have signed in, but you have no role here. Ask for the role of a viewer or an admin.
      </p>
    );
  }
  return null;
}

/** Handles the redirect from the issuer: the code in the address becomes a session. */
function useComingBack(oidc: Oidc) {
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

function comeBack(oidc: NonNullable<Oidc>): Promise<void> {
  comingBack ??= import('../../session/oidc')
    .then(({ comeBackFromIssuer }) => comeBackFromIssuer(oidc))
    .then(async ({ token, refreshToken, returnTo }) => {
      // Before the page of the session is drawn, and also if there is none: a code is good only once.
      window.history.replaceState(null, '', returnTo);
      await signIn(token, refreshToken);
    })
    .finally(() => {
      comingBack = null;
    });
  return comingBack;
}

function sentenceOf(error: unknown): string {
  if (error instanceof SignInRefused) {
    return error.kind === 'forbidden'
      ? 'You have signed in, but you have no role here. Ask for the role of a viewer or an admin.'
      : error.message;
  }
  const text = error instanceof Error ? error.message : String(error);
  if (!window.isSecureContext) return 'Browsers sign in at an issuer only from https:// (or localhost).';
  return `Signing in failed: ${text}`;
}
