import { withBase } from '../base-path';

export type Role = 'viewer' | 'uploader' | 'admin';

/** Who has signed in with this browser. */
export interface SignedIn {
  name: string;
  role: Role;
  /** `token` or `issuer`. */
  via: string;
  /** When the session ends unless it is used again, as ISO text. */
  expiresAt: string | null;
}

/** The server's configuration for the page, and who has signed in (`GET /api/config`). */
export interface PageConfig {
  /** False: everybody who reaches the server may do everything, and nobody signs in. */
  authentication: boolean;
  /** Null when no issuer is configured for people: then they need a token. */
  oidc: { issuer: string; clientId: string; scope: string } | null;
  /** Null when nobody has signed in, or authentication is off. */
  session: SignedIn | null;
  /** Why the session that this browser had is over; `forbidden`: the person has no role any more. */
  ended: 'ended' | 'forbidden' | null;
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

/** Reads the server's configuration, and who has signed in. @throws Error with a sentence for people */
export async function readPageConfig(): Promise<PageConfig> {
  // Browsers name the origin in no request of this kind.
  const asked = new URLSearchParams({ origin: window.location.origin });
  const response = await fetch(`${withBase('/api/config')}?${asked}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => {
    throw new Error('it cannot be reached.');
  });
  if (!response.ok) throw new Error(`it answers ${response.status}. ${await reasonIn(response)}`.trim());
  return (await response.json()) as PageConfig;
}

/** The sentence of a refusal of the server's; empty when a proxy has answered. */
export async function reasonIn(response: Response): Promise<string> {
  const { error } = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  return error?.message ?? '';
}
