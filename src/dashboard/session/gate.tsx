import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { SignInPage } from '../pages/sign-in/sign-in-page';
import { Loading } from '../parts/notices';
import { type PageConfig, readPageConfig } from './page-config';
import { RoleContext } from './role';
import { beginSession, currentSession, onSessionChange } from './session';

/** Nothing of the fleet is shown or asked for before the server knows who asks, if it wants to. */
export function Gate({ children }: { children: (isSignedIn: boolean) => ReactNode }) {
  const [config, setConfig] = useState<PageConfig | Error | null>(null);
  const session = useSyncExternalStore(onSessionChange, currentSession);
  const token = session?.token;
  // Asked again whenever somebody else may be asking: the answer has his role.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the token goes with the request
  useEffect(() => {
    let isOutdated = false;
    const take = (answer: PageConfig | Error) => {
      if (!isOutdated) setConfig(answer);
    };
    readPageConfig().then(take, (error: unknown) =>
      take(error instanceof Error ? error : new Error(String(error))),
    );
    return () => {
      isOutdated = true;
    };
  }, [token]);
  useRenewal(config instanceof Error ? null : config);

  if (config === null) return <Loading />;
  if (config instanceof Error) {
    return (
      <p className="notice" data-tone="danger" role="alert">
        The server cannot be asked who may do what: {config.message} Reload the page to try again.
      </p>
    );
  }
  if (config.authentication && session === null) return <SignInPage oidc={config.oidc} />;
  // Signed in a moment ago, and the answer is still one to a stranger.
  if (config.role === null) return <Loading />;
  return <RoleContext value={config.role}>{children(config.authentication)}</RoleContext>;
}

/** A token is renewed so long before its end. */
const EARLY_MS = 30_000;

function useRenewal(config: PageConfig | null): void {
  const session = useSyncExternalStore(onSessionChange, currentSession);
  const renewal = session?.renewal ?? null;
  const oidc = config?.oidc ?? null;

  useEffect(() => {
    if (renewal === null || oidc === null) return;
    const timer = window.setTimeout(
      () => {
        // When it fails, the session lasts as long as its token, and then the server ends it.
        import('./oidc').then(({ renew }) => renew(oidc, renewal.refreshToken)).then(beginSession, () => {});
      },
      Math.max(1_000, renewal.endsAt - Date.now() - EARLY_MS),
    );
    return () => window.clearTimeout(timer);
  }, [renewal, oidc]);
}
