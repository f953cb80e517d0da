import { Fragment, type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { SignInPage } from './pages/sign-in/sign-in-page';
import { UploaderPage } from './pages/uploader-page';
import { Loading } from './parts/notices';
import { type PageConfig, readPageConfig } from './session/page-config';
import { AuthenticationContext, RoleContext } from './session/role';
import {
  currentSession,
  EARLY_MS,
  endSession,
  onExpiry,
  onSessionChange,
  renewSession,
  type Session,
} from './session/session';

/** Shows and requests no data of the fleet until the server has returned the person's role. */
export function Gate({ children }: { children: (isSignedIn: boolean) => ReactNode }) {
  const session = useSyncExternalStore(onSessionChange, currentSession);
  const { config, problem } = usePageConfig(session);
  useRenewal(session, config?.oidc ?? null);

  if (config === null) {
    return problem === null ? (
      <Loading />
    ) : (
      <p className="notice" data-tone="danger" role="alert">
        Your role could not be read from the server: {problem} The page tries again automatically.
      </p>
    );
  }
  if (config.role === null) return <SignInPage oidc={config.oidc} />;
  if (config.role === 'uploader') return <UploaderPage />;
  return (
    <RoleContext value={config.role}>
      {config.problem !== null && (
        <p className="notice" data-tone="danger" role="alert">
          {config.problem}
        </p>
      )}
      <AuthenticationContext value={config.authentication}>
        <Fragment key={session?.number}>{children(config.authentication)}</Fragment>
      </AuthenticationContext>
    </RoleContext>
  );
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The server's answer about the person and their role. It is read again at each change of the token, and retried until
 * it succeeds. Meanwhile the last answer for the same person stays valid, for example after a renewal.
 */
function usePageConfig(session: Session | null): { config: PageConfig | null; problem: string | null } {
  const [last, setLast] = useState<{ config: PageConfig; to: number | undefined } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    let isOutdated = false;
    let timer: number | undefined;
    let pauseMs = FIRST_PAUSE_MS;
    function ask(): void {
      readPageConfig(session).then(
        (config) => {
          if (isOutdated) return;
          setLast({ config, to: session?.number });
          setProblem(null);
        },
        (error: unknown) => {
          if (isOutdated) return;
          setProblem(error instanceof Error ? error.message : String(error));
          timer = window.setTimeout(ask, pauseMs * (0.75 + Math.random() / 2));
          pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
        },
      );
    }
    setProblem(null);
    ask();
    return () => {
      isOutdated = true;
      window.clearTimeout(timer);
    };
  }, [session]);

  return { config: last !== null && last.to === session?.number ? last.config : null, problem };
}

function useRenewal(session: Session | null, oidc: PageConfig['oidc']): void {
  useEffect(() => {
    const renewal = session?.renewal ?? null;
    if (session === null || renewal === null || oidc === null) return;
    let renewing: Promise<void> | undefined;
    const renewOnce = () => {
      // An issuer gives a refresh token's successor once.
      renewing ??= import('./session/oidc')
        .then(({ renew }) => renew(oidc, renewal.refreshToken))
        .then((next) => renewSession(session, next))
        .finally(() => {
          renewing = undefined;
        });
      return renewing;
    };
    // When this fails the session lasts until its token expires, and then the server ends it.
    const timer = window.setTimeout(
      () => renewOnce().catch(() => {}),
      Math.max(1_000, renewal.endsAt - Date.now() - EARLY_MS),
    );
    const unlisten = onExpiry(() => {
      renewOnce().catch(() => endSession('refused', `Bearer ${session.token}`));
    });
    return () => {
      window.clearTimeout(timer);
      unlisten();
    };
  }, [session, oidc]);
}
