import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { SignInPage } from '../pages/sign-in/sign-in-page';
import { Loading } from '../parts/notices';
import { type PageConfig, readPageConfig } from './page-config';
import { beginSession, currentSession, onSessionChange } from './session';

/** Nothing of the fleet is shown or asked for before the server knows who asks, if it wants to. */
export function Gate({ children }: { children: (isSignedIn: boolean) => ReactNode }) {
  const [config, setConfig] = useState<PageConfig | Error | null>(null);
  const session = useSyncExternalStore(onSessionChange, currentSession);
  useEffect(() => {
    readPageConfig().then(setConfig, (error: unknown) =>
      setConfig(error instanceof Error ? error : new Error(String(error))),
    );
  }, []);
  useRenewal(config instanceof Error ? null : config);

  if (config === null) return <Loading />;
  if (config instanceof Error) {
    return (
      <p className="notice" data-tone="danger" role="alert">
        The server cannot be asked how to sign in: {config.message} Reload the page to try again.
      </p>
    );
  }
  if (!config.authentication) return children(false);
  return session === null ? <SignInPage oidc={config.oidc} /> : children(true);
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
