import { Fragment, type ReactNode, useEffect, useSyncExternalStore } from 'react';
import { LockedPage } from './pages/sign-in/locked-page';
import { SignInPage } from './pages/sign-in/sign-in-page';
import { UploaderPage } from './pages/uploader-page';
import { Loading } from './parts/notices';
import { isCallback } from './session/page-config';
import { AuthenticationContext, RoleContext } from './session/role';
import { followSession, onSessionChange, sessionState } from './session/session';

/** Shows and requests no data of the fleet until the server has said who the person is. */
export function Gate({ children }: { children: (isSignedIn: boolean) => ReactNode }) {
  const { config, problem, person, number, isLocked } = useSyncExternalStore(onSessionChange, sessionState);
  useEffect(followSession, []);

  if (config === null) {
    return problem === null ? (
      <Loading />
    ) : (
      <p className="notice" data-tone="danger" role="alert">
        Your role could not be read from the server: {problem} The page tries again automatically.
      </p>
    );
  }
  const role = config.authentication ? (person?.role ?? null) : 'admin';
  // Also where another tab has signed in meanwhile: the issuer's answer in the address is taken.
  const isComingBack = config.oidc !== null && isCallback(window.location.pathname);
  if (role === null || isComingBack) return <SignInPage oidc={config.oidc} />;
  return (
    <RoleContext value={role}>
      <AuthenticationContext value={config.authentication}>
        {/* What was on the screen when the session ended stays as it was, with what was typed, for the same person. */}
        <div className="session-frame" hidden={isLocked}>
          {config.problem !== null && role !== 'uploader' && (
            <p className="notice" data-tone="danger" role="alert">
              {config.problem}
            </p>
          )}
          <Fragment key={number}>
            {role === 'uploader' ? <UploaderPage /> : children(config.authentication)}
          </Fragment>
        </div>
        {isLocked && <LockedPage oidc={config.oidc} />}
      </AuthenticationContext>
    </RoleContext>
  );
}
