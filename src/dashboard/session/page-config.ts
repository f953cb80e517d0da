import { endSession, type Session } from './session';

export type Role = 'viewer' | 'admin';

/** What the server says about itself, and about the role of the person who asks (`GET /api/config`). */
export interface PageConfig {
  /** False: whoever reaches the server may do everything, and nobody signs in. */
  authentication: boolean;
  /** Null when people cannot sign in there: then they need a token. */
  oidc: { issuer: string; clientId: string; scope: string } | null;
  /** The role of the person who asks; null when nobody has signed in. */
  role: Role | null;
}

/** Where the issuer sends people back to; the server serves the same page there. */
export const CALLBACK_PATH = '/sign-in/callback';

const TIMEOUT_MS = 10_000;

/**
 * Reads the server's configuration with the session's token, if there is one. A session that the server refuses is ended.
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
