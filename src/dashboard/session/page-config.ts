import { withBase } from '../base-path';
import { endSession, type Session } from './session';

export type Role = 'viewer' | 'uploader' | 'admin';

/** The server's configuration for the page, and the role of the signed-in person (`GET /api/config`). */
export interface PageConfig {
  /** False: everybody who reaches the server may do everything, and nobody signs in. */
  authentication: boolean;
  /** Null when no issuer is configured for people: then they need a token. */
  oidc: { issuer: string; clientId: string; scope: string } | null;
  /** The role of the person; null when nobody has signed in. */
  role: Role | null;
  /** Why the server will refuse this page's uploads and its WebSocket; null when it will not. */
  problem: string | null;
}

/** The redirect address for the issuer, below the base path; the server serves the same page there. */
export const CALLBACK_PATH = '/sign-in/callback';

/** @param pathname of the browser's address */
export function isCallback(pathname: string): boolean {
  return pathname === withBase(CALLBACK_PATH);
}

const TIMEOUT_MS = 10_000;

/**
 * Reads the server's configuration with the session's token, if there is one. Ends a session that the server refuses.
 *
 * @throws Error with a sentence for people
 */
export async function readPageConfig(session: Session | null): Promise<PageConfig> {
  const value = session === null ? null : `Bearer ${session.token}`;
  // Browsers name the origin in no request of this kind.
  const asked = new URLSearchParams({ origin: window.location.origin });
  const response = await fetch(`${withBase('/api/config')}?${asked}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(value === null ? {} : { headers: { authorization: value } }),
  }).catch(() => {
    throw new Error('it cannot be reached.');
  });
  if (value !== null && response.status === 401) endSession('refused', value);
  if (value !== null && response.status === 403) endSession('forbidden', value);
  if (!response.ok) throw new Error(`it answers ${response.status}. ${await reasonIn(response)}`.trim());
  return (await response.json()) as PageConfig;
}

/** The sentence of a refusal of the server's; empty when a proxy has answered. */
async function reasonIn(response: Response): Promise<string> {
  const { error } = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  return error?.message ?? '';
}
