import { endSession, type Session } from './session';

export type Role = 'viewer' | 'admin';

/** What the server says of itself to everybody, and to who has signed in what he may do (`GET /api/config`). */
export interface PageConfig {
  /** False: whoever reaches the server may do everything, and nobody signs in. */
  authentication: boolean;
  /** Null when people cannot sign in there: then they need a token. */
  oidc: { issuer: string; clientId: string; scope: string } | null;
  /** Of who asks; null for a stranger. */
  role: Role | null;
}

/** Where the issuer sends people back to; the server serves the page there as everywhere. */
export const CALLBACK_PATH = '/sign-in/callback';

const TIMEOUT_MS = 10_000;

/**
 * What the server answers to the session's person, or to a stranger. A session that it does not take is ended.
 *
 * @throws Error with a sentence for people
 */
export async function readPageConfig(session: Session | null): Promise<PageConfig> {
  const value = session === null ? null : `Bearer ${session.token}`;
  const response = await fetch('/api/config', {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(value === null ? {} : { headers: { authorization: value } }),
  }).catch(() => {
    throw new Error('it cannot be reached.');
  });
  if (value !== null && response.status === 401) endSession('refused', value);
  if (value !== null && response.status === 403) endSession('forbidden', value);
  if (!response.ok) throw new Error(`it answers ${response.status}.`);
  return (await response.json()) as PageConfig;
}
